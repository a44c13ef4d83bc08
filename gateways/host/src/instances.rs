//! What instances take: memory of this process before and after so many of them have run and were kept.

use std::ffi::OsString;

use gateway_common::json::push_string;
use gateway_common::options::{number, value};

use crate::Failure;
use crate::gateway::{compiled, no_module, read, runner};
use crate::once::module_options;

/// In bytes.
struct Memory {
    /// proportional set size
    pss: u64,
    /// address space
    reserved: u64,
}

/// `instances --module FILE --mode MODE [--input TEXT] --count N`: one line of JSON.
pub fn count(arguments: Vec<OsString>) -> Result<(), Failure> {
    let mut count = 100;
    let mut input = String::from("hello");
    let options = module_options(arguments, |name, parser| match name {
        "count" => {
            count = number(parser, name, 1, 2048)? as usize;
            Ok(true)
        }
        "input" => {
            input = value(parser, name)?;
            Ok(true)
        }
        _ => Ok(false),
    })?;
    let file = options.module.as_deref().ok_or_else(no_module)?;
    let instances =
        options.mode.instances(count + 1).ok_or_else(|| Failure::usage("instances of this mode are processes"))?;
    let module = compiled(file, &read(file)?, &options, instances)?;
    let runner = runner(file, module, &options, instances)?;
    // The first one pays for what all share.
    let keep = || {
        let ran = runner.run_and_keep(input.clone().into_bytes());
        match ran.output {
            Ok(_) => Ok(ran.store),
            Err(refusal) => Err(Failure::new(refusal.reason)),
        }
    };
    let mut kept = vec![keep()?];
    let before = memory()?;
    for _ in 0..count {
        kept.push(keep()?);
    }
    let after = memory()?;
    let mut line = String::from("{\"event\":\"instances\",\"mode\":");
    push_string(&mut line, options.mode.name().as_bytes());
    for (name, Memory { pss, reserved }) in [("before", before), ("after", after)] {
        line.push_str(&format!(",\"{name}\":{{\"pssBytes\":{pss},\"reservedBytes\":{reserved}}}"));
    }
    println!("{line},\"count\":{count}}}");
    Ok(())
}

fn memory() -> Result<Memory, Failure> {
    Ok(Memory {
        pss: kilobytes("/proc/self/smaps_rollup", "Pss:")? * 1024,
        reserved: kilobytes("/proc/self/status", "VmSize:")? * 1024,
    })
}

fn kilobytes(file: &str, name: &str) -> Result<u64, Failure> {
    let text = std::fs::read_to_string(file).map_err(|error| Failure::new(format!("cannot read {file}: {error}")))?;
    text.lines()
        .find_map(|line| line.strip_prefix(name)?.trim().strip_suffix("kB")?.trim().parse().ok())
        .ok_or_else(|| Failure::new(format!("{file} says no {name}")))
}
