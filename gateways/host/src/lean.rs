//! Input and output of a module without a WASI context: most modules ask for no more, and then there is none to make.

use wasmtime::{Caller, Extern, Linker};

use crate::engine::Guest;
use crate::output::MAX_OUTPUT;

const SUCCESS: i32 = 0;
const BAD_DESCRIPTOR: i32 = 8;
const FAULT: i32 = 21;

/// Size of an I/O vector, in bytes.
const VECTOR: usize = 8;

/// Standard input and output, in memory.
#[derive(Default)]
pub struct Stdio {
    input: Vec<u8>,
    position: usize,
    pub output: Vec<u8>,
}

impl Stdio {
    pub fn new(input: Vec<u8>) -> Self {
        Self { input, ..Self::default() }
    }
}

/// Puts `fd_read` and `fd_write` into `linker` that go to a guest's [`Stdio`].
pub fn add_to_linker(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    linker.func_wrap("wasi_snapshot_preview1", "fd_read", read)?;
    linker.func_wrap("wasi_snapshot_preview1", "fd_write", write)?;
    Ok(())
}

fn read(mut caller: Caller<'_, Guest>, fd: u32, vectors: u32, count: u32, total: u32) -> i32 {
    if fd != 0 {
        return BAD_DESCRIPTOR;
    }
    let Some((memory, stdio)) = parts(&mut caller) else { return FAULT };
    let mut done = 0;
    for place in 0..count as usize {
        let Some((start, end)) = vector(memory, vectors, place) else { return FAULT };
        let Some(buffer) = memory.get_mut(start..end) else { return FAULT };
        let rest = &stdio.input[stdio.position..];
        let length = rest.len().min(buffer.len());
        buffer[..length].copy_from_slice(&rest[..length]);
        stdio.position += length;
        done += length;
    }
    put(memory, total, done)
}

fn write(mut caller: Caller<'_, Guest>, fd: u32, vectors: u32, count: u32, total: u32) -> wasmtime::Result<i32> {
    if fd != 1 && fd != 2 {
        return Ok(BAD_DESCRIPTOR);
    }
    let Some((memory, stdio)) = parts(&mut caller) else { return Ok(FAULT) };
    let mut done = 0;
    for place in 0..count as usize {
        let Some((start, end)) = vector(memory, vectors, place) else { return Ok(FAULT) };
        let Some(bytes) = memory.get(start..end) else { return Ok(FAULT) };
        // What is said on standard error is nobody's.
        if fd == 1 {
            let room = (MAX_OUTPUT + 1).saturating_sub(stdio.output.len());
            stdio.output.extend_from_slice(&bytes[..bytes.len().min(room)]);
            if stdio.output.len() > MAX_OUTPUT {
                return Err(wasmtime::Error::msg("too much output"));
            }
        }
        done += bytes.len();
    }
    Ok(put(memory, total, done))
}

fn parts<'a>(caller: &'a mut Caller<'_, Guest>) -> Option<(&'a mut [u8], &'a mut Stdio)> {
    let Some(Extern::Memory(memory)) = caller.get_export("memory") else { return None };
    let (bytes, guest) = memory.data_and_store_mut(caller);
    Some((bytes, &mut guest.stdio))
}

/// Where the vector at `place` of a list begins and ends in `memory`.
fn vector(memory: &[u8], list: u32, place: usize) -> Option<(usize, usize)> {
    let at = list as usize + place * VECTOR;
    let (start, length) = (number(memory, at)?, number(memory, at + 4)?);
    Some((start, start + length))
}

fn number(memory: &[u8], at: usize) -> Option<usize> {
    let bytes = memory.get(at..at + 4)?;
    Some(u32::from_le_bytes(bytes.try_into().ok()?) as usize)
}

fn put(memory: &mut [u8], at: u32, value: usize) -> i32 {
    let Some(place) = memory.get_mut(at as usize..at as usize + 4) else { return FAULT };
    place.copy_from_slice(&(value as u32).to_le_bytes());
    SUCCESS
}
