//! The command line that all gateways share.

use std::ffi::OsString;
use std::net::{Ipv4Addr, SocketAddr};
use std::str::FromStr;
use std::time::Duration;

use lexopt::{Arg, Parser, ValueExt};

/// What `--help` says of the flags read here.
pub const HELP: &str = "  --listen ADDRESS:PORT     where to listen (127.0.0.1:18081); port 0: any free one
  --upstream ADDRESS:PORT   where paths without a workload are forwarded to (127.0.0.1:18080)
  --threads N               accept loops, 1 to 1024 (1)
  --keep-alive on|off       off: close after each reply; on: connections stay, each with a thread of its own (off)
  --backlog N               longest queue of connections not yet accepted, 1 to 65535 (128)
  --timeout-ms N            read, write and upstream timeout, 1 to 600000 (2000)
  --reuse-port on|off       on: other processes that say so may listen there as well (off)
  --max-iters N             most iterations of /compute (10000000)
";

#[derive(Clone, Debug)]
pub struct Options {
    pub listen: SocketAddr,
    pub upstream: SocketAddr,
    pub threads: usize,
    pub keep_alive: bool,
    pub backlog: i32,
    pub reuse_port: bool,
    pub timeout: Duration,
    pub max_iterations: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            listen: (Ipv4Addr::LOCALHOST, 18081).into(),
            upstream: (Ipv4Addr::LOCALHOST, 18080).into(),
            threads: 1,
            keep_alive: false,
            backlog: 128,
            reuse_port: false,
            timeout: Duration::from_millis(2000),
            max_iterations: 10_000_000,
        }
    }
}

impl Options {
    /// Reads all of `parser`. `more` is offered each flag not known here (without its dashes) and says whether it
    /// took it. Errors are one sentence.
    pub fn parse(
        parser: &mut Parser,
        mut more: impl FnMut(&str, &mut Parser) -> Result<bool, lexopt::Error>,
    ) -> Result<Self, lexopt::Error> {
        let mut options = Self::default();
        while let Some(arg) = parser.next()? {
            let name = match arg {
                Arg::Long(name) => name.to_owned(),
                other => return Err(other.unexpected()),
            };
            match name.as_str() {
                "listen" => options.listen = value(parser, &name)?,
                "upstream" => options.upstream = value(parser, &name)?,
                "threads" => options.threads = number(parser, &name, 1, 1024)? as usize,
                "backlog" => options.backlog = number(parser, &name, 1, 65535)? as i32,
                "timeout-ms" => options.timeout = Duration::from_millis(number(parser, &name, 1, 600_000)?),
                "max-iters" => options.max_iterations = number(parser, &name, 0, u64::MAX)?,
                "reuse-port" => options.reuse_port = one_of(parser, &name, &["off", "on"])? == 1,
                "keep-alive" => options.keep_alive = one_of(parser, &name, &["off", "on"])? == 1,
                _ if more(&name, parser)? => {}
                _ => return Err(Arg::Long(&name).unexpected()),
            }
        }
        Ok(options)
    }
}

/// The value of flag `name`, as `T`.
pub fn value<T: FromStr>(parser: &mut Parser, name: &str) -> Result<T, lexopt::Error> {
    let text = text(parser.value()?)?;
    text.parse().map_err(|_| format!("--{name} cannot be '{text}'").into())
}

/// The value of flag `name`, a whole number of `least` to `most`.
pub fn number(parser: &mut Parser, name: &str, least: u64, most: u64) -> Result<u64, lexopt::Error> {
    let number = value(parser, name)?;
    if (least..=most).contains(&number) {
        return Ok(number);
    }
    Err(format!("--{name} is a whole number of {least} to {most}, not {number}").into())
}

/// The place in `names` of the value of flag `name`.
pub fn one_of(parser: &mut Parser, name: &str, names: &[&str]) -> Result<usize, lexopt::Error> {
    let text = text(parser.value()?)?;
    let place = names.iter().position(|known| *known == text);
    place.ok_or_else(|| format!("--{name} is one of {}, not '{text}'", names.join(", ")).into())
}

fn text(value: OsString) -> Result<String, lexopt::Error> {
    value.string()
}
