//! Filters of sockets: programs that the kernel runs on each datagram, of which they keep so many bytes.

mod count;
mod serve;

use std::io::Error;
use std::net::UdpSocket;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};

pub use count::count;
pub use serve::serve;

use crate::Failure;

const PROG_LOAD: libc::c_long = 5;
const SOCKET_FILTER: u32 = 1;

/// Of a datagram with its header of UDP.
pub const KEEP_ALL: u32 = u32::MAX;

/// `union bpf_attr`, as far as PROG_LOAD needs it.
#[repr(C)]
#[derive(Default)]
struct Load {
    kind: u32,
    instructions: u32,
    code: u64,
    license: u64,
    log_level: u32,
    log_size: u32,
    log: u64,
    kernel: u32,
    flags: u32,
}

const fn instruction(code: u8, immediate: u32) -> u64 {
    code as u64 | (immediate as u64) << 32
}

/// A program of eBPF that keeps so many bytes.
pub fn load(keep: u32) -> Result<OwnedFd, Failure> {
    // r0 = keep; exit
    let code = [instruction(0xb7, keep), instruction(0x95, 0)];
    let attributes = Load {
        kind: SOCKET_FILTER,
        instructions: code.len() as u32,
        code: code.as_ptr() as u64,
        license: c"GPL".as_ptr() as u64,
        ..Load::default()
    };
    // SAFETY: the attributes and what they point at live until the call is over.
    let fd = unsafe { libc::syscall(libc::SYS_bpf, PROG_LOAD, &attributes, size_of::<Load>()) };
    if fd < 0 {
        let error = Error::last_os_error();
        return Err(Failure::new(format!("the kernel loads no program of eBPF for this process: {error}")));
    }
    // SAFETY: it is a new descriptor of this process's own.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as RawFd) })
}

fn attach<Value>(socket: &UdpSocket, option: libc::c_int, value: &Value) -> Result<(), Failure> {
    let length = size_of::<Value>() as libc::socklen_t;
    // SAFETY: the value, and what it points at, lives until the call is over.
    let done = unsafe {
        libc::setsockopt(socket.as_raw_fd(), libc::SOL_SOCKET, option, std::ptr::from_ref(value).cast(), length)
    };
    match done {
        0 => Ok(()),
        _ => Err(Failure::new(format!("the kernel takes no filter for the socket: {}", Error::last_os_error()))),
    }
}

/// Which language a filter is written in: classic ones take no privilege.
#[derive(Clone, Copy, PartialEq)]
pub enum Language {
    Ebpf,
    Classic,
}

/// In place of the filter that the socket had: every datagram meets one of the two.
pub fn replace(socket: &UdpSocket, language: Language, keep: u32) -> Result<(), Failure> {
    match language {
        Language::Ebpf => attach(socket, libc::SO_ATTACH_BPF, &load(keep)?.as_raw_fd()),
        Language::Classic => {
            // ret keep
            let mut code = libc::sock_filter { code: 0x06, jt: 0, jf: 0, k: keep };
            attach(socket, libc::SO_ATTACH_FILTER, &libc::sock_fprog { len: 1, filter: &mut code })
        }
    }
}
