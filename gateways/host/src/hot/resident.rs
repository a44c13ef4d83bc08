//! A module with one instance that stays from request to request, and so has a state. It imports nothing, and exports:
//!
//! - `memory`
//! - `buffer(length) -> place` where so many bytes of input are to be written
//! - `handle(length) -> length` makes a reply of the input, of that length
//! - `reply() -> place` where the last reply, or state, begins
//! - and both or none of `save() -> length`, its state as bytes, and `restore(length) -> 0`, which takes the state of the
//!   one before it out of the buffer; anything but 0 refuses it

use gateway_common::reply::Refusal;
use wasmtime::{Engine, Instance, Memory, Module, Store, StoreLimits, TypedFunc};

use crate::engine::{self, Limits, TICKS};
use crate::output::MAX_OUTPUT;

/// What tells such a module from a command.
const HANDLE: &str = "handle";

pub struct Resident {
    store: Store<StoreLimits>,
    memory: Memory,
    buffer: TypedFunc<u32, u32>,
    handle: TypedFunc<u32, u32>,
    reply: TypedFunc<(), u32>,
    state: Option<(TypedFunc<(), u32>, TypedFunc<u32, u32>)>,
}

pub fn is_resident(module: &Module) -> bool {
    module.get_export(HANDLE).is_some()
}

impl Resident {
    pub fn new(engine: &Engine, module: &Module, limits: Limits) -> wasmtime::Result<Self> {
        let mut store = Store::new(engine, engine::store_limits(limits));
        store.limiter(|limits| limits);
        store.set_epoch_deadline(TICKS + 1);
        let instance = Instance::new(&mut store, module, &[])?;
        let memory = instance
            .get_memory(&mut store, "memory")
            .ok_or_else(|| wasmtime::Error::msg("it exports no memory of that name"))?;
        let buffer = instance.get_typed_func(&mut store, "buffer")?;
        let handle = instance.get_typed_func(&mut store, HANDLE)?;
        let reply = instance.get_typed_func(&mut store, "reply")?;
        let has = |name| module.get_export(name).is_some();
        let state = match (has("save"), has("restore")) {
            (false, false) => None,
            (true, true) => {
                let save = instance.get_typed_func(&mut store, "save")?;
                Some((save, instance.get_typed_func(&mut store, "restore")?))
            }
            _ => return Err(wasmtime::Error::msg("it exports one of save and restore without the other")),
        };
        Ok(Self { store, memory, buffer, handle, reply, state })
    }

    /// Its reply to `input`. After a refusal the instance is in no known state.
    pub fn run(&mut self, input: &[u8]) -> Result<Vec<u8>, Refusal> {
        let length = self.put(input)?;
        let handle = self.handle.clone();
        let length = self.call(&handle, length)?;
        self.take(length)
    }

    /// Its state; `None` where it does not hand one over.
    pub fn save(&mut self) -> Result<Option<Vec<u8>>, Refusal> {
        let Some((save, _)) = self.state.clone() else { return Ok(None) };
        let length = self.call(&save, ())?;
        self.take(length).map(Some)
    }

    /// Takes the state of another one; false where it takes none.
    pub fn restore(&mut self, state: &[u8]) -> Result<bool, Refusal> {
        let Some((_, restore)) = self.state.clone() else { return Ok(false) };
        let length = self.put(state)?;
        match self.call(&restore, length)? {
            0 => Ok(true),
            code => Err(Refusal::new(500, format!("it refuses the state of the one before, with {code}"))),
        }
    }

    fn call<Given: wasmtime::WasmParams>(
        &mut self,
        function: &TypedFunc<Given, u32>,
        given: Given,
    ) -> Result<u32, Refusal> {
        self.store.set_epoch_deadline(TICKS + 1);
        let mut result = 0;
        let ended = function.call(&mut self.store, given).map(|value| result = value);
        engine::fault(ended).map(|()| result)
    }

    fn put(&mut self, bytes: &[u8]) -> Result<u32, Refusal> {
        let buffer = self.buffer.clone();
        let length = bytes.len() as u32;
        let place = self.call(&buffer, length)? as usize;
        let room = self.memory.data_mut(&mut self.store).get_mut(place..place + bytes.len());
        room.ok_or_else(|| outside("its buffer"))?.copy_from_slice(bytes);
        Ok(length)
    }

    fn take(&mut self, length: u32) -> Result<Vec<u8>, Refusal> {
        let length = length as usize;
        if length > MAX_OUTPUT {
            return Err(engine::too_much());
        }
        let reply = self.reply.clone();
        let place = self.call(&reply, ())? as usize;
        let bytes = self.memory.data(&self.store).get(place..place + length);
        bytes.map(<[u8]>::to_vec).ok_or_else(|| outside("its reply"))
    }
}

fn outside(what: &str) -> Refusal {
    Refusal::new(500, format!("{what} lies outside of the module's memory"))
}
