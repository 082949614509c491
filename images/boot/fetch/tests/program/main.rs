//! The real program: against nginx, against servers that fail as nginx does not, and beside OpenSSL.

mod faults;
mod keys;
mod nginx;
mod refusals;
mod report;
mod rollout;
mod support;
