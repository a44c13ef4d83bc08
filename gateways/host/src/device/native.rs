//! The works in this program's own code.

use std::hint::black_box;

use super::rows::{Row, output_of, request};
use super::work::{Work, answer, nothing, work};
use crate::Failure;

/// A call of a function.
pub struct Bare {
    work: Work,
    argument: Vec<u8>,
    amount: u32,
    out: Vec<u8>,
}

impl Bare {
    pub fn new(name: &str, argument: &[u8], amount: u32) -> Self {
        let work = work(name.as_bytes()).unwrap_or(nothing);
        Self { work, argument: argument.to_vec(), amount, out: Vec::new() }
    }
}

impl Row for Bare {
    fn call(&mut self) -> Result<usize, Failure> {
        self.out.clear();
        // What it is called with is not known to the compiler, as it is not across the border of a module.
        (black_box(self.work))(black_box(&self.argument), black_box(self.amount), &mut self.out);
        Ok(self.out.len())
    }

    fn output(&mut self) -> Result<Vec<u8>, Failure> {
        self.call()?;
        Ok(self.out.clone())
    }
}

/// The same by requests and replies in JSON: what of a call by them is theirs, and not the module's.
pub struct Json {
    name: String,
    argument: Vec<u8>,
    amount: u32,
    out: Vec<u8>,
}

impl Json {
    pub fn new(name: &str, argument: &[u8], amount: u32) -> Self {
        Self { name: name.to_owned(), argument: argument.to_vec(), amount, out: Vec::new() }
    }
}

impl Row for Json {
    fn call(&mut self) -> Result<usize, Failure> {
        self.output().map(|output| output.len())
    }

    fn output(&mut self) -> Result<Vec<u8>, Failure> {
        let request = request(&self.name, &self.argument, self.amount);
        self.out.clear();
        answer(black_box(&request), &mut self.out).ok_or_else(|| Failure::new("the work refuses its request"))?;
        output_of(&self.out)
    }
}
