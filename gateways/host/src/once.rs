//! What is done once, without a gateway: compiling ahead, and one run.

use std::ffi::OsString;
use std::io::{Read, Write, stdin, stdout};
use std::path::PathBuf;
use std::time::Duration;

use lexopt::{Arg, Parser};

use crate::Failure;
use crate::engine::{self, Instances, Limits};
use crate::gateway::{ModuleOptions, cannot_run, compiled, no_module, read, runner};

/// `precompile IN OUT`. What it writes fits this same program alone, at whatever limits.
pub fn precompile(arguments: Vec<OsString>) -> Result<(), Failure> {
    let [input, output] =
        <[OsString; 2]>::try_from(arguments).map_err(|_| Failure::usage("precompile takes two files: IN OUT"))?;
    let (input, output) = (PathBuf::from(input), PathBuf::from(output));
    let wasm = read(&input)?;
    let limits = Limits { deadline: Duration::ZERO, memory: 0 };
    let code = engine::engine(Instances::Linked, limits)
        .and_then(|engine| engine.precompile_module(&wasm))
        .map_err(|error| cannot_run(&input, &error))?;
    std::fs::write(&output, code).map_err(|error| Failure::new(format!("cannot write {}: {error}", output.display())))
}

/// `run --module FILE`: all of standard input to standard output. Exit code 1 when the module failed.
pub fn run(arguments: Vec<OsString>) -> Result<(), Failure> {
    let options = module_options(arguments, |_, _| Ok(false))?;
    let file = options.module.as_deref().ok_or_else(no_module)?;
    let instances = options.mode.instances(1).unwrap_or(Instances::Linked);
    let module = compiled(file, &read(file)?, &options, instances)?;
    let runner = runner(file, module, &options, instances)?;
    let mut input = Vec::new();
    stdin().read_to_end(&mut input).map_err(|error| Failure::new(format!("cannot read the input: {error}")))?;
    let output = runner.run(input).map_err(|refusal| Failure::new(refusal.reason))?;
    stdout().write_all(&output).map_err(|error| Failure::new(format!("cannot write the output: {error}")))
}

/// Reads flags of modules; `more` is offered all others.
pub fn module_options(
    arguments: Vec<OsString>,
    mut more: impl FnMut(&str, &mut Parser) -> Result<bool, lexopt::Error>,
) -> Result<ModuleOptions, lexopt::Error> {
    let mut options = ModuleOptions::default();
    let mut parser = Parser::from_args(arguments);
    while let Some(arg) = parser.next()? {
        let name = match arg {
            Arg::Long(name) => name.to_owned(),
            other => return Err(other.unexpected()),
        };
        if !options.take(&name, &mut parser)? && !more(&name, &mut parser)? {
            return Err(Arg::Long(&name).unexpected());
        }
    }
    Ok(options)
}
