// Imports declared by hand: the compiler names the module of an import after the file that declares it.

export declare function fd_read(fd: i32, vectors: usize, count: usize, read: usize): i32;
export declare function fd_write(fd: i32, vectors: usize, count: usize, written: usize): i32;
export declare function proc_exit(code: i32): void;
