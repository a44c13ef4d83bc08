/** What a message from outside must look like: by field a test. A stranger's message is a value of any kind. */

export type Test = (value: unknown) => boolean;
export type Shape = Readonly<Record<string, Test>>;

export const isCount: Test = (value) => Number.isSafeInteger(value) && (value as number) >= 0;
export const isNumber: Test = (value) => Number.isSafeInteger(value);
export const isText: Test = (value) => typeof value === 'string' && value.length <= 1024;
export const isFlag: Test = (value) => typeof value === 'boolean';

export const isListOf =
  (test: Test, most: number): Test =>
  (value) =>
    Array.isArray(value) && value.length <= most && value.every(test);

export const isLike =
  (shape: Shape): Test =>
  (value) =>
    typeof value === 'object' &&
    value !== null &&
    Object.entries(shape).every(([name, test]) => Object.hasOwn(value, name) && test((value as never)[name]));

/** The message, if its type is one of these and it has the fields of that. @throws Error when it is not */
export function shaped<Message extends { type: string }>(
  shapes: Readonly<Record<string, Shape>>,
  value: unknown,
): Message {
  const type = (value as { type?: unknown } | null)?.type;
  const shape = typeof type === 'string' && Object.hasOwn(shapes, type) ? shapes[type]! : null;
  if (shape === null || !isLike(shape)(value)) throw new Error('no such message');
  return value as Message;
}
