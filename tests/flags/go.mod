module kubefarm/tests/flags

go 1.22
