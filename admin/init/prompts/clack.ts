/** The one file that knows the library of prompts; import it dynamically. What it writes goes to stderr. */
import { Writable } from 'node:stream';
import { styleText } from 'node:util';
import * as clack from '@clack/prompts';
import { paragraph } from '../../terminal/text.ts';
import { type ChoicePrompt, type Prompter, STOPPED, type TextPrompt, type Voice } from './prompter.ts';

/** Width of the guide before each line: a bar and two spaces. */
const GUIDE = 3;
/** Lines longer than this are hard to read, however wide the terminal is. */
const WIDEST = 90;
const USUAL = { columns: 80, rows: 24 };
/** The text shown for an empty answer. */
const NONE = '(none)';

export type Terminal = {
  readonly input: NodeJS.ReadStream;
  readonly output: NodeJS.WriteStream;
  readonly interrupted: AbortSignal;
  /** True to leave out colours; sequences that move the cursor stay. */
  readonly plain: boolean;
};

export function createPrompter(terminal: Terminal): Prompter {
  const output = asOutput(terminal.output, terminal.plain);
  const { write, wrapped, voice } = guide(terminal, output);
  const prompt = <T>(show: (common: Common) => Promise<T | symbol>): Promise<T | typeof STOPPED> => {
    write('');
    return untilStopped(terminal, (signal) => show({ input: terminal.input, output, signal }));
  };
  const indented = (text: string): string => wrapped(text).replaceAll('\n', `\n${BAR}  `);
  const validate =
    ({ validate: judge, fallback }: TextPrompt) =>
    (typed: string | undefined): string | undefined => {
      const problem = judge(typed === undefined || typed === '' ? (fallback ?? '') : typed);
      // Below the end of the guide, lines start without a bar.
      return problem && wrapped(problem).replaceAll('\n', `\n${' '.repeat(GUIDE)}`);
    };
  return {
    ...voice,
    text: (asked) =>
      prompt<string>((common) =>
        clack.text({
          ...common,
          message: indented(asked.message),
          ...placeholder(asked),
          ...(asked.initial !== undefined && { initialValue: asked.initial }),
          ...defaultValue(asked),
          validate: validate(asked),
        }),
      ).then((answer) => (answer === NONE || answer === undefined ? '' : answer)),
    secret: (asked) =>
      prompt<string>((common) =>
        clack.password({ ...common, message: indented(asked.message), validate: validate(asked) }),
      ).then((answer) => answer ?? ''),
    choose: ({ message, choices, initial }: ChoicePrompt) =>
      prompt<number>((common) =>
        clack.select<number>({
          ...common,
          message,
          options: choices.map(({ label, hint }, value) => ({ value, label, ...(hint && { hint }) })),
          initialValue: initial,
          showInstructions: false,
        }),
      ),
    yesNo: ({ message, initial }) =>
      prompt<boolean>((common) => clack.confirm({ ...common, message, initialValue: initial })),
  };
}

/** Draws texts along the guide: the bar that leads from question to question. */
function guide(terminal: Terminal, output: Writable) {
  const width = (): number => Math.min(terminal.output.columns || USUAL.columns, WIDEST) - GUIDE;
  const wrapped = (text: string): string => paragraph(text, width()).trimEnd();
  const lines = (text: string, style: (line: string) => string = (line) => line): string =>
    text
      .split('\n')
      .map((line) => bar(line && style(line)))
      .join('');
  let waiting = false;
  const write = (text: string): void => {
    // The next text replaces the lines of the wait.
    output.write(waiting ? `\r\x1b[2A\x1b[J${text}` : text);
    waiting = false;
  };
  const marked = (mark: string, text: string): void => {
    const [first = '', ...more] = wrapped(text).split('\n');
    write(`${bar()}${mark}  ${first}\n${more.length > 0 ? lines(more.join('\n')) : ''}`);
  };
  const voice: Voice = {
    opening: (title) => clack.intro(styleText('bold', title), { output }),
    heading: (title, place, text) => {
      const gap = ' '.repeat(
        Math.max(1, Math.min(width(), USUAL.columns - GUIDE) - title.length - place.length),
      );
      write(`${bar()}${bar(`${styleText(['bold', 'cyan'], title)}${gap}${styleText('dim', place)}`)}`);
      if (text !== undefined) write(lines(wrapped(text), (line) => styleText('dim', line)));
    },
    say: (text) => write(`${bar()}${lines(typeof text === 'string' ? wrapped(text) : text.join('\n'))}`),
    warn: (text) => marked(styleText('yellow', clack.S_WARN), text),
    wait: (text) => {
      // Cut to one line, so that only one line must be replaced.
      const line = text.length > width() ? `${text.slice(0, width() - 1)}…` : text;
      write(bar() + bar(styleText('dim', line)));
      waiting = true;
    },
    answered: (message, answer) => {
      marked(styleText('green', clack.S_STEP_SUBMIT), message);
      write(lines(wrapped(answer || NONE), (line) => styleText('dim', line)));
    },
    closing: (text) => {
      const [first = '', ...more] = text.split('\n');
      const rest = more.map((line) => `${' '.repeat(GUIDE)}${line}\n`).join('');
      write(`${bar()}${styleText('gray', clack.S_BAR_END)}  ${first}\n${rest}`);
    },
  };
  return { write, wrapped, voice };
}

const BAR = styleText('gray', clack.S_BAR);

function bar(text = ''): string {
  return `${BAR}${text && `  ${text}`}\n`;
}

/** Ctrl-D ends readline under a prompt, which goes on waiting for it; it means what Ctrl-C does. */
async function untilStopped<T>(
  { input, interrupted }: Terminal,
  show: (signal: AbortSignal) => Promise<T | symbol>,
): Promise<T | typeof STOPPED> {
  const ended = new AbortController();
  const onEnd = (): void => ended.abort();
  const onKey = (_: unknown, key?: { name?: string; ctrl?: boolean }): void => {
    if (key?.ctrl === true && key.name === 'd') onEnd();
  };
  input.on('keypress', onKey);
  input.once('end', onEnd);
  try {
    const answer = await show(AbortSignal.any([interrupted, ended.signal]));
    return typeof answer === 'symbol' ? STOPPED : answer;
  } finally {
    input.off('keypress', onKey);
    input.off('end', onEnd);
  }
}

type Common = { input: NodeJS.ReadStream; output: Writable; signal: AbortSignal };

function defaultValue({ fallback, optional }: TextPrompt): { defaultValue?: string } {
  if (fallback !== undefined) return { defaultValue: fallback };
  return optional ? { defaultValue: NONE } : {};
}

function placeholder({ initial, fallback, example }: TextPrompt): { placeholder?: string } {
  if (fallback !== undefined) return { placeholder: fallback };
  return example === undefined || initial !== undefined ? {} : { placeholder: `such as ${example}` };
}

/**
 * Wraps the terminal for the library: with a default size if none is known, and on request without colours, an
 * option that the library does not support on every Node.js.
 */
function asOutput(terminal: NodeJS.WriteStream, plain: boolean): Writable {
  const output = new Writable({
    decodeStrings: false,
    write: (chunk: string | Buffer, _encoding, done) => {
      // biome-ignore lint/suspicious/noControlCharactersInRegex: these sequences are removed
      terminal.write(plain ? String(chunk).replace(/\x1b\[[\d;]*m/g, '') : chunk);
      // Called at once, not after the write: texts of others must not come before it.
      done();
    },
  });
  // A terminal without a known size reports 0.
  Object.defineProperty(output, 'columns', { get: () => terminal.columns || USUAL.columns });
  Object.defineProperty(output, 'rows', { get: () => terminal.rows || USUAL.rows });
  terminal.on('resize', () => output.emit('resize'));
  return output;
}
