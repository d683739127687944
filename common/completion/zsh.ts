import { singleQuote } from '../shell-quote.ts';
import { type CompletedCommand, type CompletedFlag, type CompletionValues, functionName } from './table.ts';

/** Returns the completion script for zsh, to source or to store in a folder of fpath as `_PROGRAM`. */
export function zshCompletion(program: string, completed: readonly CompletedCommand[]): string {
  const name = functionName(program);
  return `#compdef ${program}
# zsh completion of ${program}, printed by: ${program} completion zsh
${name}_profiles() {
  local -a names
  names=(\${(f)"$(${program} completion --profiles 2>/dev/null)"})
  compadd -a names
}
${completed.map((command) => functionOf(name, command)).join('')}if [[ $funcstack[1] == ${name} ]]; then
  ${name} "$@"
else
  (( $+functions[compdef] )) || { autoload -Uz compinit && compinit }
  compdef ${name} ${program}
fi
`;
}

function functionOf(root: string, { path, commands, flags, operand }: CompletedCommand): string {
  const name = [root, ...path].join('_');
  const specs = flags.map((flag) => flagSpec(root, flag));
  if (commands.length === 0) {
    if (operand?.values === 'commands')
      specs.push("'(-):command: _command_names -e'", "'*::arguments: _normal'");
    else if (operand)
      specs.push(`'${operand.many ? '*' : ''}:${path.at(-1)}:${action(root, operand.values)}'`);
    return `${name}() {\n  _arguments -s ${specs.join(' \\\n    ')}\n}\n`;
  }
  return `${name}() {
  local curcontext=$curcontext state line
  local -a commands
  commands=(
${commands.map((each) => `    ${singleQuote(`${each.name}:${each.text}`)}`).join('\n')}
  )
  _arguments -C ${specs.join(' \\\n    ')} \\
    '1: :->command' '*:: :->rest'
  case $state in
    command) _describe command commands ;;
    rest) (( $+functions[${name}_$words[1]] )) && ${name}_$words[1] ;;
  esac
}
`;
}

/** `(-p --profile)'{-p,--profile}'[…]:name:…`: either form, once. */
function flagSpec(root: string, { short, long, text, values }: CompletedFlag): string {
  const described = `[${text.replace(/[[\]\\:]/g, '\\$&')}]${values ? `:${long}:${action(root, values)}` : ''}`;
  if (short === undefined) return singleQuote(`--${long}${described}`);
  return `${singleQuote(`(-${short} --${long})`)}{-${short},--${long}}${singleQuote(described)}`;
}

function action(root: string, values: CompletionValues): string {
  if (values === 'profiles') return `${root}_profiles`;
  if (values === 'files') return '_files';
  return values === 'commands' ? '_command_names' : `(${values.join(' ')})`;
}
