# Completions for kubefarm in fish. What may follow is asked of kubefarm itself.
function __kubefarm_complete
    set -l words (commandline -opc)
    set -l current (string unescape -- (commandline -ct); or commandline -ct)
    command $words[1] __complete fish -- $words "$current" 2>/dev/null
end
complete --command kubefarm --no-files --arguments '(__kubefarm_complete)'
