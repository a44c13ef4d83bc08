//! Sleep of a module, ended by its deadline: the epoch ends only what computes, and not a call of the host.

use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use wasmtime::{Caller, Extern, Linker, Trap};

use crate::engine::Guest;

// Layout of `subscription` and `event` of wasi_snapshot_preview1, in bytes.
const SUBSCRIPTION: usize = 48;
const EVENT: usize = 32;
const TAG: usize = 8;
const CLOCK_ID: usize = 16;
const TIMEOUT: usize = 24;
const FLAGS: usize = 40;

const CLOCK: u8 = 0;
const REALTIME: u32 = 0;
const ABSOLUTE: u8 = 1;

const SUCCESS: i32 = 0;
const FAULT: i32 = 21;
const INVALID: i32 = 28;

/// Most subscriptions of one call.
const MAX_SUBSCRIPTIONS: u32 = 1024;

/// Puts a `poll_oneoff` into `linker` that sleeps no longer than the guest may run. Input and output of a guest are in
/// memory, and so are always ready.
pub fn add_to_linker(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    linker.func_wrap("wasi_snapshot_preview1", "poll_oneoff", poll)?;
    Ok(())
}

fn poll(
    mut caller: Caller<'_, Guest>,
    subscriptions: u32,
    events: u32,
    count: u32,
    stored: u32,
) -> wasmtime::Result<i32> {
    if count == 0 || count > MAX_SUBSCRIPTIONS {
        return Ok(INVALID);
    }
    let Some(Extern::Memory(memory)) = caller.get_export("memory") else { return Ok(FAULT) };
    let mut wanted = vec![0; count as usize * SUBSCRIPTION];
    if memory.read(&caller, subscriptions as usize, &mut wanted).is_err() {
        return Ok(FAULT);
    }
    let started = caller.data().started;
    let wanted: Vec<Wanted> = wanted.chunks_exact(SUBSCRIPTION).map(|bytes| Wanted::read(bytes, started)).collect();
    let wait = wanted.iter().map(|wanted| wanted.wait).min().unwrap_or_default();
    let left = caller.data().deadline.saturating_duration_since(Instant::now());
    thread::sleep(wait.min(left));
    if wait >= left {
        return Err(Trap::Interrupt.into());
    }
    let due: Vec<u8> = wanted.iter().filter(|wanted| wanted.wait <= wait).flat_map(Wanted::event).collect();
    let number = (due.len() / EVENT) as u32;
    let written = memory
        .write(&mut caller, events as usize, &due)
        .and_then(|()| memory.write(&mut caller, stored as usize, &number.to_le_bytes()));
    Ok(if written.is_ok() { SUCCESS } else { FAULT })
}

struct Wanted {
    user: [u8; 8],
    tag: u8,
    wait: Duration,
}

impl Wanted {
    /// A guest's monotonic clock counts from when it `started`.
    fn read(bytes: &[u8], started: Instant) -> Self {
        let number = |at: usize| u64::from_le_bytes(array(&bytes[at..at + 8]));
        let clock = u32::from_le_bytes(array(&bytes[CLOCK_ID..CLOCK_ID + 4]));
        let tag = bytes[TAG];
        let timeout = Duration::from_nanos(number(TIMEOUT));
        let wait = match (tag, bytes[FLAGS] & ABSOLUTE) {
            (CLOCK, 0) => timeout,
            (CLOCK, _) if clock == REALTIME => {
                timeout.saturating_sub(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default())
            }
            (CLOCK, _) => timeout.saturating_sub(started.elapsed()),
            _ => Duration::ZERO,
        };
        Self { user: array(&bytes[..8]), tag, wait }
    }

    /// The event that says it is due, without error.
    fn event(&self) -> [u8; EVENT] {
        let mut event = [0; EVENT];
        event[..8].copy_from_slice(&self.user);
        event[10] = self.tag;
        event
    }
}

fn array<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut array = [0; N];
    array.copy_from_slice(bytes);
    array
}
