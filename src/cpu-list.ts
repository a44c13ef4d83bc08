/** Lists of CPUs in the kernel's form, which command lines use as well. */

/** '0-2,5' -> [0, 1, 2, 5] */
export function parseCpuList(text: string): number[] {
  return text
    .split(',')
    .filter((part) => part.trim() !== '')
    .flatMap((part) => {
      const [first, last = first] = part.split('-').map(Number);
      return Array.from({ length: last! - first! + 1 }, (_, index) => first! + index);
    });
}
