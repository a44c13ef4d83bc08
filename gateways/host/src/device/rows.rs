//! Ways to call the works of a module.

use std::path::Path;

use gateway_common::json::push_string;
use wasmtime::{Config, Engine, Instance, InstancePre, Linker, Memory, Store, TypedFunc};

use super::json;
use crate::Failure;
use crate::gateway::{cannot_run, reason_of};

/// One way to have the work done. What it gives is how long the output was.
pub trait Row {
    fn call(&mut self) -> Result<usize, Failure>;

    fn output(&mut self) -> Result<Vec<u8>, Failure>;
}

/// A compiled module whose imports are looked up. Its library part asks for none of them: they trap.
#[derive(Clone)]
pub struct Module {
    engine: Engine,
    prepared: InstancePre<()>,
}

impl Module {
    pub fn new(file: &Path, wasm: &[u8]) -> Result<Self, Failure> {
        let prepare = || {
            let engine = Engine::new(&Config::new())?;
            let module = wasmtime::Module::new(&engine, wasm)?;
            let mut linker = Linker::new(&engine);
            linker.define_unknown_imports_as_traps(&module)?;
            let prepared = linker.instantiate_pre(&module)?;
            Ok(Self { engine, prepared })
        };
        let module = prepare().map_err(|error| cannot_run(file, &error))?;
        Library::new(&module)?;
        Ok(module)
    }
}

fn trapped(error: wasmtime::Error) -> Failure {
    Failure::new(format!("the module could not be called: {}", reason_of(&error)))
}

/// An instance and what it exports.
struct Library {
    store: Store<()>,
    instance: Instance,
    memory: Memory,
    buffer: TypedFunc<u32, u32>,
    reply: TypedFunc<(), u32>,
}

impl Library {
    fn new(module: &Module) -> Result<Self, Failure> {
        let mut store = Store::new(&module.engine, ());
        let instance = module.prepared.instantiate(&mut store).map_err(trapped)?;
        let memory = instance
            .get_memory(&mut store, "memory")
            .ok_or_else(|| Failure::new("the module exports no memory of that name"))?;
        let buffer = instance.get_typed_func(&mut store, "buffer").map_err(trapped)?;
        let reply = instance.get_typed_func(&mut store, "reply").map_err(trapped)?;
        Ok(Self { store, instance, memory, buffer, reply })
    }

    fn work(&mut self, name: &str) -> Result<TypedFunc<(u32, u32), u32>, Failure> {
        self.instance.get_typed_func(&mut self.store, name).map_err(trapped)
    }

    fn put(&mut self, bytes: &[u8]) -> Result<u32, Failure> {
        let length = bytes.len() as u32;
        let place = self.buffer.call(&mut self.store, length).map_err(trapped)? as usize;
        let room = self.memory.data_mut(&mut self.store).get_mut(place..place + bytes.len());
        room.ok_or_else(outside)?.copy_from_slice(bytes);
        Ok(length)
    }

    fn take(&mut self, length: u32) -> Result<Vec<u8>, Failure> {
        let place = self.reply.call(&mut self.store, ()).map_err(trapped)? as usize;
        let bytes = self.memory.data(&self.store).get(place..place + length as usize);
        bytes.map(<[u8]>::to_vec).ok_or_else(outside)
    }
}

fn outside() -> Failure {
    Failure::new("the module has its buffer, or its reply, outside of its memory")
}

/// Numbers in, a number out: what the module works on lies in its memory, and what it made stays there.
pub struct Bare {
    library: Library,
    work: TypedFunc<(u32, u32), u32>,
    length: u32,
    amount: u32,
}

impl Bare {
    pub fn new(module: &Module, name: &str, argument: &[u8], amount: u32) -> Result<Self, Failure> {
        let mut library = Library::new(module)?;
        let work = library.work(name)?;
        let length = library.put(argument)?;
        Ok(Self { library, work, length, amount })
    }
}

impl Row for Bare {
    fn call(&mut self) -> Result<usize, Failure> {
        let given = (self.length, self.amount);
        self.work.call(&mut self.library.store, given).map(|length| length as usize).map_err(trapped)
    }

    fn output(&mut self) -> Result<Vec<u8>, Failure> {
        let length = self.call()?;
        self.library.take(length as u32)
    }
}

/// The request and the reply as JSON, copied into the module's memory and out of it.
pub struct Json {
    library: Library,
    call: TypedFunc<u32, u32>,
    name: String,
    argument: Vec<u8>,
    amount: u32,
}

impl Json {
    pub fn new(module: &Module, name: &str, argument: &[u8], amount: u32) -> Result<Self, Failure> {
        let mut library = Library::new(module)?;
        let call = library.instance.get_typed_func(&mut library.store, "call").map_err(trapped)?;
        Ok(Self { library, call, name: name.to_owned(), argument: argument.to_vec(), amount })
    }
}

impl Row for Json {
    fn call(&mut self) -> Result<usize, Failure> {
        self.output().map(|output| output.len())
    }

    fn output(&mut self) -> Result<Vec<u8>, Failure> {
        let length = self.library.put(&request(&self.name, &self.argument, self.amount))?;
        let length = self.call.call(&mut self.library.store, length).map_err(trapped)?;
        output_of(&self.library.take(length)?)
    }
}

/// A new instance for the call, which is gone behind it.
pub struct Fresh {
    module: Module,
    name: String,
    argument: Vec<u8>,
    amount: u32,
}

impl Fresh {
    pub fn new(module: &Module, name: &str, argument: &[u8], amount: u32) -> Self {
        Self { module: module.clone(), name: name.to_owned(), argument: argument.to_vec(), amount }
    }
}

impl Row for Fresh {
    fn call(&mut self) -> Result<usize, Failure> {
        self.output().map(|output| output.len())
    }

    fn output(&mut self) -> Result<Vec<u8>, Failure> {
        Bare::new(&self.module, &self.name, &self.argument, self.amount)?.output()
    }
}

/// A request, as both sides of a bridge of JSON write it.
pub fn request(name: &str, argument: &[u8], amount: u32) -> Vec<u8> {
    let mut text = format!("{{\"work\":\"{name}\",\"amount\":{amount},\"argument\":");
    push_string(&mut text, argument);
    text.push('}');
    text.into_bytes()
}

/// What a reply has as its output.
pub fn output_of(reply: &[u8]) -> Result<Vec<u8>, Failure> {
    let mut output = None;
    let mut json = json::Json::new(reply);
    let read = json.object(|json, _| {
        output = Some(json.string()?);
        Some(())
    });
    read.and(output).ok_or_else(|| Failure::new("the module's reply is not what it should be"))
}
