//! Standard output of a module, in memory: who writes more than is taken is ended there and then.

use bytes::Bytes;
use tokio::io::AsyncWrite;
use wasmtime_wasi::async_trait;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::pipe::MemoryOutputPipe;
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamError, StreamResult};

/// Most that a module may write, in bytes.
pub const MAX_OUTPUT: usize = 1 << 20;

#[derive(Clone)]
pub struct Output(MemoryOutputPipe);

impl Output {
    pub fn new() -> Self {
        // One byte more than is allowed, so that too much can be told from just enough.
        Self(MemoryOutputPipe::new(MAX_OUTPUT + 1))
    }

    pub fn contents(&self) -> Bytes {
        self.0.contents()
    }
}

impl IsTerminal for Output {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Output {
    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }

    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        self.0.async_stream()
    }
}

#[async_trait]
impl Pollable for Output {
    async fn ready(&mut self) {}
}

#[async_trait]
impl OutputStream for Output {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> StreamResult<()> {
        self.0.flush()
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        match self.0.check_write() {
            Err(StreamError::Closed) => Err(StreamError::trap("too much output")),
            other => other,
        }
    }
}
