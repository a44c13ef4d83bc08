/** Text from outside on its way to a terminal or a log. */

/** Control and formatting characters, line breaks among them: what can move a cursor, or turn the order of letters. */
const unprintable = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** The same text with such characters as what they are: `\u{1b}`. */
export const printable = (text: string): string =>
  text.replace(unprintable, (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`);
