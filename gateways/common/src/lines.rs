//! What a gateway says on standard output: one JSON object a line.

use std::io::{Write, stdout};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::json::push_string;
use crate::process::monotonic_ns;
use crate::workloads::sha256;

/// Readings of CLOCK_MONOTONIC in nanoseconds, in the order of a start.
#[derive(Debug, Default)]
pub struct Phases {
    /// first statement of `main`
    pub main: u64,
    pub bound: u64,
    pub compiled: Option<u64>,
    pub instantiated: Option<u64>,
    pub listening: u64,
}

/// Who says hello.
pub struct Identity<'a> {
    pub name: &'a str,
    pub mode: &'a str,
    pub module: Option<(&'a Path, &'a [u8])>,
}

/// The two lines of a gateway, in their order however the threads run: hello, first reply.
#[derive(Default)]
pub struct Lines {
    /// read on each reply, so it is no lock
    replied: AtomicBool,
    order: Mutex<Order>,
}

#[derive(Default)]
struct Order {
    greeted: bool,
    waiting: Option<u64>,
}

impl Lines {
    pub fn hello(&self, identity: &Identity, address: SocketAddr, phases: &Phases) {
        let mut line = String::from("{\"event\":\"gateway\",\"name\":");
        push_string(&mut line, identity.name.as_bytes());
        line.push_str(",\"mode\":");
        push_string(&mut line, identity.mode.as_bytes());
        line.push_str(&format!(",\"address\":\"{}\",\"port\":{}", address.ip(), address.port()));
        line.push_str(&format!(",\"pid\":{},\"module\":", std::process::id()));
        match identity.module {
            None => line.push_str("null"),
            Some((file, bytes)) => {
                line.push_str("{\"file\":");
                push_string(&mut line, file.as_os_str().as_encoded_bytes());
                line.push_str(&format!(",\"sha256\":\"{}\",\"bytes\":{}}}", sha256(bytes), bytes.len()));
            }
        }
        let or_null = |reading: Option<u64>| reading.map_or("null".to_owned(), |ns| ns.to_string());
        line.push_str(&format!(
            ",\"phases\":{{\"main\":{},\"bound\":{},\"compiled\":{},\"instantiated\":{},\"listening\":{}}}}}",
            phases.main,
            phases.bound,
            or_null(phases.compiled),
            or_null(phases.instantiated),
            phases.listening,
        ));
        let mut order = self.order();
        say(&line);
        order.greeted = true;
        if let Some(ns) = order.waiting.take() {
            say_first_reply(ns);
        }
    }

    /// Called after each reply 200 that was written whole; says so once.
    pub fn replied(&self) {
        if self.replied.load(Ordering::Relaxed) || self.replied.swap(true, Ordering::Relaxed) {
            return;
        }
        let now = monotonic_ns();
        let mut order = self.order();
        match order.greeted {
            true => say_first_reply(now),
            false => order.waiting = Some(now),
        }
    }

    fn order(&self) -> std::sync::MutexGuard<'_, Order> {
        self.order.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

fn say_first_reply(ns: u64) {
    say(&format!("{{\"event\":\"first-reply\",\"monotonicNs\":{ns}}}"));
}

/// One line of JSON on standard output. A reader that went away is no reason to stop serving.
pub fn say(line: &str) {
    let mut out = stdout().lock();
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}
