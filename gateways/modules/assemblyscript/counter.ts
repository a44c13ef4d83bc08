// `v00000000 N`: its version, and the how-manieth request this is. A module with one instance for all requests, and a state
// that the next version takes over (gateways/host/src/hot/resident.rs says what it exports). Whoever puts it in place may
// write another number over the eight digits, which makes it another version.

const LABEL: usize = memory.data<u8>([0x76, 0x30, 0x30, 0x30, 0x30, 0x30, 0x30, 0x30, 0x30]);
const LABEL_LENGTH: usize = 9;
const TEXT: usize = memory.data(32);
const PAGE: usize = 65536;

let count: u64 = 0;

/** Where an input begins: everything above is free. */
export function buffer(length: usize): usize {
  const end = __heap_base + length;
  const have = <usize>memory.size() * PAGE;
  if (end > have && memory.grow(<i32>((end - have + PAGE - 1) / PAGE)) < 0) unreachable();
  return __heap_base;
}

export function reply(): usize {
  return TEXT;
}

export function handle(_length: usize): usize {
  count += 1;
  memory.copy(TEXT, LABEL, LABEL_LENGTH);
  store<u8>(TEXT + LABEL_LENGTH, 0x20);
  let digits: usize = 1;
  for (let rest = count / 10; rest > 0; rest /= 10) digits += 1;
  let rest = count;
  for (let at = digits; at > 0; at -= 1, rest /= 10) {
    store<u8>(TEXT + LABEL_LENGTH + at, <u8>(0x30 + (rest % 10)));
  }
  return LABEL_LENGTH + 1 + digits;
}

export function save(): usize {
  store<u64>(TEXT, count);
  return sizeof<u64>();
}

export function restore(length: usize): u32 {
  if (length !== sizeof<u64>()) return 1;
  count = load<u64>(__heap_base);
  return 0;
}
