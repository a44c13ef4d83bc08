/**
 * Firmware of a guest that does nothing but write into its memory: 171 bytes of machine code of ours in a ROM of 64 KiB, which go
 * from the reset vector to 32 bits, measure the time-stamp counter by the HPET for 10 ms, and then write for ever, at a rate, one
 * word at a random place of a range that begins at 1 MiB. It has no stack and no interrupt, so nothing else is written.
 * Assembled (as --32; ld -Ttext 0 --oformat binary) from:
 *
 * .code16
 * .org 0
 * rate:   .long 1
 * mask:   .long 0x01fffff8
 * gdt:    .quad 0
 *         .quad 0x00cf9a000000ffff
 *         .quad 0x00cf92000000ffff
 * gdtr:   .word 23
 *         .long 0xffff0000 + 8
 * start:
 *         cli
 *         lgdtl %cs:gdtr
 *         movl %cr0, %eax
 *         orb $1, %al
 *         movl %eax, %cr0
 *         ljmpl $8, $(0xffff0000 + flat)
 * .code32
 * flat:
 *         movw $16, %ax
 *         movw %ax, %ds
 *         movw %ax, %es
 *         movl $0xfed00000, %edi
 *         movl $1, 0x10(%edi)
 *         rdtsc
 *         movl %eax, %ecx
 *         movl 0xf0(%edi), %ebx
 *         addl $1000000, %ebx
 * 1:      movl 0xf0(%edi), %eax
 *         subl %ebx, %eax
 *         js 1b
 *         rdtsc
 *         subl %ecx, %eax
 *         xorl %edx, %edx
 *         divl 0xffff0000 + rate
 *         movl %eax, %ebp
 *         rdtsc
 *         movl %eax, %ebx
 *         movl $1, %esi
 * 2:      addl %ebp, %ebx
 * 3:      rdtsc
 *         subl %ebx, %eax
 *         js 3b
 *         imull $1664525, %esi, %esi
 *         addl $1013904223, %esi
 *         movl %esi, %eax
 *         shrl $5, %eax
 *         andl 0xffff0000 + mask, %eax
 *         movl %esi, 0x100000(%eax)
 *         jmp 2b
 * .org 0xfff0
 * .code16
 *         jmp start
 * .org 0x10000
 */
const code = Buffer.from(
  [
    '01000000f8ffff010000000000000000ffff0000009acf00ffff00000092cf00',
    '17000800fffffa2e660f011620000f20c00c010f22c066ea3e00ffff080066b8',
    '10008ed88ec0bf0000d0fec74710010000000f3189c18b9ff000000081c34042',
    '0f008b87f000000029d878f60f3129c831d2f7350000ffff89c50f3189c3be01',
    '00000001eb0f3129d878fa69f60d66190081c65ff36e3c89f0c1e80523050400',
    'ffff89b000001000ebd900',
  ].join(''),
  'hex',
);
const romBytes = 64 << 10;
/** At the reset vector: jmp start. */
const reset = { at: 0xfff0, code: Buffer.from('e93300', 'hex') };

/** Where a guest of so many bytes of memory is written to: a power of two from 1 MiB on. @throws Error when there is no such */
export function writtenRange(memory: number): { from: number; bytes: number } {
  const from = 1 << 20;
  const bytes = 2 ** Math.floor(Math.log2(Math.max(1, memory - from)));
  if (bytes < 4096 || bytes > 2 ** 27) throw new Error('a guest that writes has memory of 2 MiB to 128 MiB');
  return { from, bytes };
}

export function firmware(pagesPerSecond: number, memory: number): Buffer {
  const rom = Buffer.alloc(romBytes);
  code.copy(rom);
  reset.code.copy(rom, reset.at);
  rom.writeUInt32LE(Math.max(1, Math.round(pagesPerSecond / 100)), 0);
  // Whole words of 8 bytes.
  rom.writeUInt32LE(writtenRange(memory).bytes - 8, 4);
  return rom;
}
