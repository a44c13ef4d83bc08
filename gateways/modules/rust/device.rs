//! Three works that a device may be asked for (work.rs), reached in each way that a module is called. As a command it
//! answers every line of its input, a request as JSON, with a line. As a library it exports:
//!
//! - `memory`
//! - `buffer(length) -> place` where so many bytes of an argument, or of a request, are to be written
//! - `nothing`, `hello`, `sha256` and `network`, each `(length, amount) -> length` of what it made of the argument there
//! - `call(length) -> length` of the answer to the request as JSON there; 0: it was none
//! - `reply() -> place` where what the last one made begins

mod json;
mod work;

use std::io::{stdin, stdout, Read, Write};

fn main() {
    let mut input = Vec::new();
    let mut output = Vec::new();
    let read = stdin().read_to_end(&mut input).is_ok();
    let answered = read && answer_lines(&input, &mut output).is_some();
    if !answered || stdout().write_all(&output).is_err() {
        std::process::exit(1);
    }
}

fn answer_lines(input: &[u8], output: &mut Vec<u8>) -> Option<()> {
    for line in input.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()) {
        work::answer(line, output)?;
        output.push(b'\n');
    }
    Some(())
}

static mut INPUT: Vec<u8> = Vec::new();
static mut OUTPUT: Vec<u8> = Vec::new();

/// What was written to the buffer, and room for what becomes of it. Calls come one after the other, in one thread.
fn places(length: u32) -> (&'static [u8], &'static mut Vec<u8>) {
    // SAFETY: as said; the caller holds neither longer than its call.
    let (input, output) = unsafe { (&INPUT, &mut OUTPUT) };
    output.clear();
    (&input[..length as usize], output)
}

#[no_mangle]
pub extern "C" fn buffer(length: u32) -> *mut u8 {
    // SAFETY: as above.
    let input = unsafe { &mut INPUT };
    input.resize(length as usize, 0);
    input.as_mut_ptr()
}

#[no_mangle]
pub extern "C" fn reply() -> *const u8 {
    // SAFETY: as above.
    unsafe { OUTPUT.as_ptr() }
}

#[no_mangle]
pub extern "C" fn call(length: u32) -> u32 {
    let (request, output) = places(length);
    match work::answer(request, output) {
        Some(()) => output.len() as u32,
        None => 0,
    }
}

fn bare(work: work::Work, length: u32, amount: u32) -> u32 {
    let (argument, output) = places(length);
    work(argument, amount, output);
    output.len() as u32
}

#[no_mangle]
pub extern "C" fn nothing(length: u32, amount: u32) -> u32 {
    bare(work::nothing, length, amount)
}

#[no_mangle]
pub extern "C" fn hello(length: u32, amount: u32) -> u32 {
    bare(work::hello, length, amount)
}

#[no_mangle]
pub extern "C" fn sha256(length: u32, amount: u32) -> u32 {
    bare(work::sha256, length, amount)
}

#[no_mangle]
pub extern "C" fn network(length: u32, amount: u32) -> u32 {
    bare(work::network, length, amount)
}
