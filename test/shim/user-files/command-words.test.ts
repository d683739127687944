import { execFileSync } from 'node:child_process';
import t from 'tap';
import { programOf, quotedWord } from '../../../shim/user-files/command-words.ts';

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

t.test('a quoted word is one word for a shell, and read back as it was', async (t) => {
  for (const path of PATHS) {
    const word = quotedWord(path);
    const said = execFileSync('/bin/sh', ['-c', `printf %s ${word}`], { encoding: 'utf8' });
    t.equal(said, path, word);
    t.equal(programOf(`  ${word} --profile X`), path, word);
  }
  t.equal(quotedWord('/plain/path'), '/plain/path');
  t.equal(quotedWord('/two words'), '"/two words"');
});

t.test('the program of a command is its first word, however it is put together', async (t) => {
  t.equal(programOf('/a/b --c'), '/a/b');
  t.equal(programOf('/a\\ b/c d'), '/a b/c');
  t.equal(programOf(`/a/"b c"/'d e' f`), '/a/b c/d e');
  t.equal(programOf('"/a \\"b\\"" c'), '/a "b"');
  t.equal(programOf(''), '');
  t.equal(programOf('"never ended'), '');
});
