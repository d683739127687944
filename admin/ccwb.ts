#!/usr/bin/env node
import { createInterface } from 'node:readline/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { createNetworkFetch } from './aws/network-fetch.ts';
import type { AdminEdges } from './edges.ts';
import type { Prompter } from './init/prompts/prompter.ts';
import { run } from './program.ts';

// `ccwb … | head` closes the pipe early; that is the reader's choice, not an error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

// Suppresses the warning of the SDK about Node.js versions it will require later.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';

const interruption = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  // One permanent listener: a signal that finds no listener ends the program.
  process.on(signal, () => {
    // The second signal ends the program at once, without a message.
    if (interruption.signal.aborted) process.exit(1);
    interruption.abort();
  });
}

const { stdin, stdout, stderr, env } = process;
const edges: AdminEdges = {
  env: process.env,
  aws: {},
  fetch: createNetworkFetch(process.env),
  writeOut: (text) => process.stdout.write(text),
  writeError: (text) => stderr.write(text),
  colours: stdout.isTTY && !env.NO_COLOR && env.TERM !== 'dumb',
  columns: stderr.isTTY ? stderr.columns : undefined,
  openPrompts: stdin.isTTY && stderr.isTTY ? openTerminalPrompts : undefined,
  ask: stdin.isTTY && stderr.isTTY ? ask : undefined,
  interrupted: interruption.signal,
  now: Date.now,
  random: Math.random,
  sleep: (ms) => delay(ms, undefined, { signal: interruption.signal }).catch(() => {}),
};

// The exit status is set, not forced: a pipe may still be taking the output.
process.exitCode = await run(process.argv.slice(2), edges);

/** The library of prompts is loaded where it is needed: most commands ask nothing. */
async function openTerminalPrompts(): Promise<Prompter> {
  const { createPrompter } = await import('./init/prompts/clack.ts');
  const plain = Boolean(process.env.NO_COLOR);
  return createPrompter({ input: stdin, output: stderr, interrupted: interruption.signal, plain });
}

/** Asks on the terminal; returns an empty text after Ctrl-C or Ctrl-D. */
async function ask(question: string): Promise<string> {
  const terminal = createInterface({ input: stdin, output: stderr });
  const interrupt = (): void => interruption.abort();
  terminal.once('SIGINT', interrupt);
  terminal.once('close', interrupt);
  try {
    return await terminal.question(question, { signal: interruption.signal });
  } catch {
    stderr.write('\n');
    return '';
  } finally {
    // A close after the answer is no interruption.
    terminal.off('close', interrupt);
    terminal.close();
  }
}
