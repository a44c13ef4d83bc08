//! What a call of a module costs: the same work natively and in the module, called in each way, in turn.

#[path = "../../../modules/rust/json.rs"]
mod json;
mod native;
mod rows;
#[path = "../../../modules/rust/work.rs"]
mod work;

use std::ffi::OsString;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use gateway_common::options::{number, one_of};
use gateway_common::workloads::sha256;
use lexopt::{Arg, Parser};

use crate::Failure;
use crate::gateway::{no_module, read};
use rows::Row;

/// Ways to have a work done, by name.
const ROWS: [&str; 4] = ["bare", "json", "fresh", "native-json"];

struct Asked {
    module: Option<PathBuf>,
    row: &'static str,
    work: &'static str,
    argument: usize,
    amount: u32,
    rounds: usize,
    slice: Duration,
}

fn parse(arguments: Vec<OsString>) -> Result<Asked, lexopt::Error> {
    let works = work::WORKS.map(|(name, _)| name);
    let mut asked = Asked {
        module: None,
        row: ROWS[0],
        work: "hello",
        argument: 64,
        amount: 1,
        rounds: 20,
        slice: Duration::from_millis(4),
    };
    let mut parser = Parser::from_args(arguments);
    while let Some(arg) = parser.next()? {
        let Arg::Long(name) = arg else { return Err(arg.unexpected()) };
        let name = name.to_owned();
        match name.as_str() {
            "module" => asked.module = Some(parser.value()?.into()),
            "row" => asked.row = ROWS[one_of(&mut parser, &name, &ROWS)?],
            "work" => asked.work = works[one_of(&mut parser, &name, &works)?],
            "argument" => asked.argument = number(&mut parser, &name, 0, 1 << 24)? as usize,
            "amount" => asked.amount = number(&mut parser, &name, 1, 10_000_000)? as u32,
            "rounds" => asked.rounds = number(&mut parser, &name, 1, 10_000)? as usize,
            "slice-us" => asked.slice = Duration::from_micros(number(&mut parser, &name, 1, 10_000_000)?),
            _ => return Err(Arg::Long(&name).unexpected()),
        }
    }
    Ok(asked)
}

/// Letters, over and over: JSON writes them as they are.
pub fn argument(length: usize) -> Vec<u8> {
    (0..length).map(|at| b'a' + (at % 26) as u8).collect()
}

/// One way to have the work done, as often as it is called.
struct Loop {
    row: Box<dyn Row>,
    calls: u32,
    /// nanoseconds a call, round by round
    ns: Vec<f64>,
}

impl Loop {
    /// Finds how many calls fill a slice, once what is called has been called for a while.
    fn new(mut row: Box<dyn Row>, slice: Duration) -> Result<Self, Failure> {
        let until = Instant::now() + slice;
        let mut calls = 1;
        while Instant::now() < until {
            if timed(row.as_mut(), calls)? * 2 < slice {
                calls *= 2;
            }
        }
        let each = timed(row.as_mut(), calls)?.as_nanos().max(1) as f64 / f64::from(calls);
        let calls = (slice.as_nanos() as f64 / each).clamp(1.0, f64::from(1 << 24)) as u32;
        Ok(Self { row, calls, ns: Vec::new() })
    }

    fn round(&mut self) -> Result<(), Failure> {
        let taken = timed(self.row.as_mut(), self.calls)?;
        self.ns.push(taken.as_nanos() as f64 / f64::from(self.calls));
        Ok(())
    }

    fn line(&self) -> String {
        let values: Vec<String> = self.ns.iter().map(|ns| format!("{ns:.3}")).collect();
        format!("[{}]", values.join(","))
    }
}

fn timed(row: &mut dyn Row, calls: u32) -> Result<Duration, Failure> {
    let started = Instant::now();
    for _ in 0..calls {
        black_box(row.call()?);
    }
    Ok(started.elapsed())
}

/// `calls --module FILE --row ROW --work WORK --argument BYTES --amount N`: one line of JSON.
pub fn calls(arguments: Vec<OsString>) -> Result<(), Failure> {
    let asked = parse(arguments)?;
    let file: &Path = asked.module.as_deref().ok_or_else(no_module)?;
    let wasm = read(file)?;
    let engine = rows::Module::new(file, &wasm)?;
    let argument = argument(asked.argument);
    let (name, amount) = (asked.work, asked.amount);
    let rows: [Box<dyn Row>; 4] = [
        match asked.row {
            "json" => Box::new(rows::Json::new(&engine, name, &argument, amount)?),
            "fresh" => Box::new(rows::Fresh::new(&engine, name, &argument, amount)),
            "native-json" => Box::new(native::Json::new(name, &argument, amount)),
            _ => Box::new(rows::Bare::new(&engine, name, &argument, amount)?),
        },
        Box::new(rows::Bare::new(&engine, name, &argument, amount)?),
        Box::new(rows::Bare::new(&engine, "nothing", &argument, amount)?),
        Box::new(native::Bare::new(name, &argument, amount)),
    ];
    let mut loops = Vec::new();
    for row in rows {
        loops.push(Loop::new(row, asked.slice)?);
    }
    let output = loops[3].row.output()?;
    for one in [0, 1] {
        if loops[one].row.output()? != output {
            return Err(Failure::new(format!("{} makes another output of {name} than native code", file.display())));
        }
    }
    // In turn, and each round begins with another one, so that what the machine does meanwhile meets all of them alike.
    for round in 0..asked.rounds {
        for place in 0..loops.len() {
            let next = (round + place) % 4;
            loops[next].round()?;
        }
    }
    println!(
        "{{\"event\":\"calls\",\"module\":{{\"sha256\":\"{}\",\"bytes\":{}}},\"output\":\"{}\",\"calls\":{},\"ns\":{{\"row\":{},\"bare\":{},\"nothing\":{},\"native\":{}}}}}",
        sha256(&wasm),
        wasm.len(),
        sha256(&output),
        loops[0].calls,
        loops[0].line(),
        loops[1].line(),
        loops[2].line(),
        loops[3].line(),
    );
    Ok(())
}
