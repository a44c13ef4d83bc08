//! The gateway whose body a WebAssembly module or a program writes, and what belongs to it: compiling ahead, one run, the
//! memory of instances, the cost of a call, filters of sockets.

mod command;
mod device;
mod engine;
mod filters;
mod gateway;
mod hot;
mod instances;
mod lean;
mod once;
mod output;
mod sleep;

use std::ffi::OsString;

use gateway_common::process::{fail, monotonic_ns};

const NAME: &str = "gateway-host";

const SUBCOMMANDS: &str = "
       gateway-host precompile IN OUT        compiles a module for --mode aot of this same program
       gateway-host run --module FILE        runs it once: standard input to standard output
       gateway-host instances --module FILE --mode MODE --count N [--input TEXT]
                                             says what N instances take, as one line of JSON
       gateway-host filters --count N        the same of N socket filters of eBPF in the kernel
       gateway-host filtered --module FILE [--listen ADDRESS:PORT] [--filter ebpf|classic]
                                             echoes datagrams as far as a filter of the socket keeps them, which follows
                                             the version in FILE
       gateway-host calls --module FILE [--row bare|json|fresh|native-json] [--work nothing|hello|sha256|network]
                          [--argument BYTES] [--amount N] [--rounds N] [--slice-us N]
                                             says what a call of a device module costs, beside the same work in native
                                             code, as one line of JSON
";

/// Why this program ends: one sentence, and its exit code.
pub struct Failure {
    reason: String,
    code: i32,
}

impl Failure {
    pub fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), code: 1 }
    }

    /// A wrong command line.
    pub fn usage(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), code: 2 }
    }
}

impl From<lexopt::Error> for Failure {
    fn from(error: lexopt::Error) -> Self {
        Self::usage(error.to_string())
    }
}

fn main() {
    let started = monotonic_ns();
    let mut arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    let subcommand = arguments.first().and_then(|first| first.to_str()).unwrap_or_default().to_owned();
    let mut rest = || arguments.split_off(1);
    let ended = match subcommand.as_str() {
        "precompile" => once::precompile(rest()),
        "run" => once::run(rest()),
        "instances" => instances::count(rest()),
        "filters" => filters::count(rest()),
        "filtered" => filters::serve(rest(), started),
        "calls" => device::calls(rest()),
        _ => gateway::serve(arguments, started),
    };
    if let Err(Failure { reason, code }) = ended {
        fail(NAME, reason, code);
    }
}
