//! What programs of eBPF take: so many socket filters are loaded and held, and the kernel's own account of each is read.

use std::ffi::OsString;
use std::fs::read_to_string;
use std::os::fd::{AsRawFd, OwnedFd};

use gateway_common::options::number;
use lexopt::{Arg, Parser};

use super::{KEEP_ALL, load};
use crate::Failure;

/// Bytes that the kernel accounts to it: pages of the program as it was checked, its machine code apart.
fn accounted(program: &OwnedFd) -> Result<u64, Failure> {
    let file = format!("/proc/self/fdinfo/{}", program.as_raw_fd());
    let text = read_to_string(&file).map_err(|error| Failure::new(format!("cannot read {file}: {error}")))?;
    let line = text.lines().find_map(|line| line.strip_prefix("memlock:"));
    line.and_then(|bytes| bytes.trim().parse().ok())
        .ok_or_else(|| Failure::new(format!("{file} says no memlock")))
}

/// `filters --count N`: one line of JSON, as `instances` prints it.
pub fn count(arguments: Vec<OsString>) -> Result<(), Failure> {
    let mut count = 100;
    let mut parser = Parser::from_args(arguments);
    while let Some(arg) = parser.next()? {
        match arg {
            Arg::Long("count") => count = number(&mut parser, "count", 1, 2048)?,
            other => return Err(other.unexpected().into()),
        }
    }
    let mut held = vec![load(KEEP_ALL)?];
    let before = accounted(&held[0])?;
    let mut after = before;
    for _ in 0..count {
        let program = load(KEEP_ALL)?;
        after += accounted(&program)?;
        held.push(program);
    }
    println!(
        "{{\"event\":\"instances\",\"mode\":\"ebpf\",\"before\":{{\"pssBytes\":{before},\"reservedBytes\":{before}}},\"after\":{{\"pssBytes\":{after},\"reservedBytes\":{after}}},\"count\":{count}}}"
    );
    Ok(())
}
