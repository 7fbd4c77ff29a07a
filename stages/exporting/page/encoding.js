// Arrays of numbers as text; stages/exporting/encoding.py writes them.

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const DIGITS = new Map([...ALPHABET].map((letter, digit) => [letter.charCodeAt(0), digit]));

// matrix: {digits, steps, values}. Each value is an integer in base 64, lowest digit first, and its
// middle stands for 0; with half a digit, two values share one, the first in its lower three bits.
// `steps` has the size of one step for each row. Returns all rows, of so many columns, in one array.
function decode({ digits, steps, values }, columns) {
  const numbers = new Float32Array(steps.length * columns);
  const middle = 64 ** digits / 2 - 1;
  for (let k = 0; k < numbers.length; k += 1) {
    let integer = 0;
    if (digits < 1) {
      integer = (DIGITS.get(values.charCodeAt(k >> 1)) >> (k % 2 ? 3 : 0)) & 7;
    }
    for (let digit = digits - 1; digit >= 0; digit -= 1) {
      integer = 64 * integer + DIGITS.get(values.charCodeAt(k * digits + digit));
    }
    numbers[k] = (integer - middle) * steps[Math.floor(k / columns)];
  }
  return numbers;
}

function bytesOf(base64) {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}
