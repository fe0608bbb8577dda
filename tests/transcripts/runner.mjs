// Plays transcripts on the shipped core.wasm, wherever there is JavaScript.
import { load } from '../../web/index.js';
import { CountingEntropy, Stage } from './stage.mjs';
import { parseTranscript } from './transcript.mjs';

/** Where two lists of lines part. @param {string[]} expected @param {string[]} actual */
function difference(expected, actual) {
  let at = 0;
  while (at < expected.length && expected[at] === actual[at]) ++at;
  const rest = [
    ...expected.slice(at).map((line) => `-${line}`),
    ...actual.slice(at).map((line) => `+${line}`),
  ];
  return [...expected.slice(0, at).map((line) => ` ${line}`), ...rest].join('\n');
}

/**
 * Plays one transcript; undefined if it went as written, else what did not.
 * @param {WebAssembly.Module} module @param {string} text
 */
export async function playTranscript(module, text) {
  const transcript = parseTranscript(text);
  if (transcript.steps.length === 0) return 'nothing happens in it';
  const core = await load({ module, entropy: new CountingEntropy().fill });
  const stage = new Stage(core, transcript);
  try {
    for (const step of transcript.steps) {
      const actual = stage.play(step);
      if (step.expected.join('\n') === actual.join('\n')) continue;
      return `after line ${step.line}:\n${difference(step.expected, actual)}`;
    }
  } finally {
    stage.close();
  }
  return undefined;
}
