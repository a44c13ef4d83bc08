//! A module in this process: compiled once, a fresh instance for each run.

use std::path::Path;
use std::time::{Duration, Instant};

use gateway_common::reply::Refusal;
use wasmtime::{
    Config, Enabled, Engine, InstanceAllocationStrategy, InstancePre, Linker, Module, PoolingAllocationConfig, Store,
    StoreLimits, StoreLimitsBuilder, Trap,
};
use wasmtime_wasi::I32Exit;
use wasmtime_wasi::WasiCtxBuilder;
use wasmtime_wasi::p1::{self, WasiP1Ctx};
use wasmtime_wasi::p2::pipe::MemoryInputPipe;

use crate::lean::{self, Stdio};
use crate::output::{MAX_OUTPUT, Output};
use crate::sleep;

/// In how many steps of the epoch a deadline is counted: it is overrun by at most one.
pub const TICKS: u64 = 20;
/// How much of an instance's memory the pool clears by hand and keeps, rather than giving it back to the kernel: system
/// calls that map memory are what instances of several threads wait for each other in. Where the kernel tells which pages
/// were touched, the others cost nothing, and it may be more. In bytes.
const KEPT: usize = 64 * 1024;
const KEPT_OF_TOUCHED: usize = 1 << 20;

/// What a module may use.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    pub deadline: Duration,
    /// linear memory of one instance, in bytes
    pub memory: usize,
}

/// How an instance comes to be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Instances {
    /// linked and allocated anew each time
    Linked,
    /// imports looked up once, allocated anew each time
    Prepared,
    /// imports looked up once, memory from a pool of so many
    Pooled(u32),
}

/// Who serves what a module asks of its system.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Wasi {
    /// the engine's library, with a context for each run
    Full,
    /// input and output are this program's own; a context is made for a module that asks for more
    Lean,
}

/// What one run's store holds.
pub struct Guest {
    wasi: Option<WasiP1Ctx>,
    /// where the context's output goes
    piped: Option<Output>,
    pub stdio: Stdio,
    limits: StoreLimits,
    pub started: Instant,
    pub deadline: Instant,
}

/// An instance that has run.
pub struct Ran {
    pub output: Result<Vec<u8>, Refusal>,
    /// dropped: the instance is gone
    pub store: Store<Guest>,
}

pub struct Runner {
    engine: Engine,
    module: Module,
    linker: Linker<Guest>,
    prepared: Option<InstancePre<Guest>>,
    wasi: Wasi,
    limits: Limits,
}

/// An engine; with a pool when instances come from one.
pub fn engine(instances: Instances, limits: Limits) -> wasmtime::Result<Engine> {
    let mut config = Config::new();
    config.epoch_interruption(true);
    if let Instances::Pooled(count) = instances {
        let touched_is_told = PoolingAllocationConfig::is_pagemap_scan_available();
        let mut pool = PoolingAllocationConfig::default();
        pool.total_core_instances(count)
            .total_memories(count)
            .total_tables(count)
            .max_memory_size(limits.memory)
            .pagemap_scan(if touched_is_told { Enabled::Yes } else { Enabled::No })
            .linear_memory_keep_resident(if touched_is_told { KEPT_OF_TOUCHED } else { KEPT })
            .table_keep_resident(KEPT);
        config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    }
    let engine = Engine::new(&config)?;
    start_clock(&engine, limits);
    Ok(engine)
}

/// Counts deadlines for as long as there is the engine.
fn start_clock(engine: &Engine, limits: Limits) {
    let engine = engine.weak();
    let tick = (limits.deadline / TICKS as u32).max(Duration::from_millis(1));
    std::thread::spawn(move || {
        while let Some(engine) = engine.upgrade() {
            engine.increment_epoch();
            drop(engine);
            std::thread::sleep(tick);
        }
    });
}

/// What the engine itself holds an instance to.
pub fn store_limits(limits: Limits) -> StoreLimits {
    StoreLimitsBuilder::new().memory_size(limits.memory).table_elements(20_000).build()
}

/// Compiles `wasm`.
pub fn compile(engine: &Engine, wasm: &[u8]) -> wasmtime::Result<Module> {
    Module::new(engine, wasm)
}

/// Whether `wasm` is a module at all, without compiling it.
pub fn validate(wasm: &[u8]) -> wasmtime::Result<()> {
    Module::validate(&Engine::default(), wasm)
}

/// Maps what `precompile` of this same program has written.
pub fn load(engine: &Engine, path: &Path) -> wasmtime::Result<Module> {
    // SAFETY: such a file is code that will run here with all rights of this process, so it is the caller's own, as the
    // program itself is. The engine refuses files of another version or configuration.
    unsafe { Module::deserialize_file(engine, path) }
}

impl Runner {
    /// Links `module` and makes one instance, so that what can never run is refused here, by the deadline as well.
    pub fn new(module: Module, instances: Instances, wasi: Wasi, limits: Limits) -> wasmtime::Result<Self> {
        let engine = module.engine().clone();
        let mut linker = Linker::new(&engine);
        p1::add_to_linker_sync(&mut linker, |guest: &mut Guest| {
            guest.wasi.get_or_insert_with(|| WasiCtxBuilder::new().build_p1())
        })?;
        linker.allow_shadowing(true);
        sleep::add_to_linker(&mut linker)?;
        if wasi == Wasi::Lean {
            lean::add_to_linker(&mut linker)?;
        }
        let prepared = match instances {
            Instances::Linked => None,
            Instances::Prepared | Instances::Pooled(_) => Some(linker.instantiate_pre(&module)?),
        };
        let runner = Self { engine, module, linker, prepared, wasi, limits };
        let mut store = runner.store(Vec::new());
        let instance = runner.instantiate(&mut store)?;
        instance.get_typed_func::<(), ()>(&mut store, "_start")?;
        Ok(runner)
    }

    fn store(&self, input: Vec<u8>) -> Store<Guest> {
        let (wasi, piped, stdio) = match self.wasi {
            Wasi::Lean => (None, None, Stdio::new(input)),
            Wasi::Full => {
                let stdout = Output::new();
                let stdin = MemoryInputPipe::new(input);
                let context = WasiCtxBuilder::new().stdin(stdin).stdout(stdout.clone()).build_p1();
                (Some(context), Some(stdout), Stdio::default())
            }
        };
        let limits = store_limits(self.limits);
        let started = Instant::now();
        let guest = Guest { wasi, piped, stdio, limits, started, deadline: started + self.limits.deadline };
        let mut store = Store::new(&self.engine, guest);
        store.limiter(|guest| &mut guest.limits);
        store.set_epoch_deadline(TICKS + 1);
        store
    }

    fn instantiate(&self, store: &mut Store<Guest>) -> wasmtime::Result<wasmtime::Instance> {
        match &self.prepared {
            Some(prepared) => prepared.instantiate(store),
            None => self.linker.instantiate(store, &self.module),
        }
    }

    /// What a fresh instance writes when it is given `input`.
    pub fn run(&self, input: Vec<u8>) -> Result<Vec<u8>, Refusal> {
        self.run_and_keep(input).output
    }

    /// The same, with the instance still there afterwards.
    pub fn run_and_keep(&self, input: Vec<u8>) -> Ran {
        let mut store = self.store(input);
        let ended = self
            .instantiate(&mut store)
            .and_then(|instance| instance.get_typed_func::<(), ()>(&mut store, "_start"))
            .and_then(|start| start.call(&mut store, ()));
        let guest = store.data_mut();
        let body = match &guest.piped {
            Some(piped) => piped.contents().to_vec(),
            None => std::mem::take(&mut guest.stdio.output),
        };
        let output = if body.len() > MAX_OUTPUT { Err(too_much()) } else { fault(ended).map(|()| body) };
        Ran { output, store }
    }
}

pub fn fault(ended: wasmtime::Result<()>) -> Result<(), Refusal> {
    let Err(error) = ended else { return Ok(()) };
    if let Some(I32Exit(code)) = error.downcast_ref() {
        return exit_code(*code);
    }
    Err(match error.downcast_ref::<Trap>() {
        Some(Trap::Interrupt) => too_long(),
        Some(trap) => Refusal::new(500, format!("the module trapped: {trap}")),
        None => Refusal::new(500, format!("the module could not run: {}", error.root_cause())),
    })
}

/// What a module's own exit code means.
pub fn exit_code(code: i32) -> Result<(), Refusal> {
    match code {
        0 => Ok(()),
        code => Err(Refusal::new(500, format!("the module ended with exit code {code}"))),
    }
}

pub fn too_much() -> Refusal {
    Refusal::new(500, format!("the module wrote more than {MAX_OUTPUT} bytes"))
}

pub fn too_long() -> Refusal {
    Refusal::new(504, "the module ran longer than its deadline")
}
