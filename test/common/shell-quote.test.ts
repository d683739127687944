import { execFileSync } from 'node:child_process';
import t from 'tap';
import {
  programOfCommand,
  quoteShellWord,
  quoteTypedWord,
  singleQuote,
  singleQuoteForFish,
  singleQuoteForPowerShell,
} from '../../common/shell-quote.ts';

const PATHS = [
  '/plain/path-1.2_x@y',
  '/two words/x',
  `/o'neil/x`,
  '/é 漢/x',
  '/"quoted"/x',
  '/$HOME/`x`',
  '/back\\slash/x!',
  `/all "of" o'them $x \\ y/x`,
  '/~tilde/*glob?[a]',
];

t.test('a quoted word is one word for a shell, and reads back as it was', async (t) => {
  for (const path of PATHS) {
    const word = quoteShellWord(path);
    t.equal(printedBy('/bin/sh', word), path, word);
    t.equal(programOfCommand(`  ${word} --profile X`), path, word);
  }
  t.equal(quoteShellWord('/plain/path'), '/plain/path');
  t.equal(quoteShellWord('/two words'), '"/two words"');
});

t.test('the program of a command is its first word, however it is quoted', async (t) => {
  t.equal(programOfCommand('/a/b --c'), '/a/b');
  t.equal(programOfCommand('/a\\ b/c d'), '/a b/c');
  t.equal(programOfCommand(`/a/"b c"/'d e' f`), '/a/b c/d e');
  t.equal(programOfCommand('"/a \\"b\\"" c'), '/a "b"');
  t.equal(programOfCommand(''), '');
  t.equal(programOfCommand('"never ended'), '');
});

t.test('a word in single quotes reaches every POSIX shell as it was', async (t) => {
  for (const path of [...PATHS, '', 'line\nbreak']) t.equal(printedBy('/bin/sh', singleQuote(path)), path);
  t.equal(singleQuote('plain'), `'plain'`);
  t.equal(singleQuote(`o'neil`), `'o'\\''neil'`);
});

t.test('a word to type keeps its tilde and is quoted only if it needs to be', async (t) => {
  t.equal(quoteTypedWord('~/plain/path'), '~/plain/path');
  t.equal(quoteTypedWord('/two words'), `'/two words'`);
  for (const path of PATHS.slice(0, -1)) t.equal(printedBy('/bin/sh', quoteTypedWord(path)), path);
});

t.test('fish takes a backslash before a quote or a backslash', async (t) => {
  t.equal(singleQuoteForFish(`a\\b'c $d`), `'a\\\\b\\'c $d'`);
});

t.test('PowerShell takes a doubled quote for one', async (t) => {
  t.equal(singleQuoteForPowerShell(`o'neil $x`), `'o''neil $x'`);
});

function printedBy(shell: string, word: string): string {
  return execFileSync(shell, ['-c', `printf %s ${word}`], { encoding: 'utf8' });
}
