import type { Values } from './commands.ts';
import { COMPLETED, type Completed, type CompletedFlag } from './completion-table.ts';

/** Completion for zsh, to be sourced or to stand in a folder of fpath as `_bedrock-auth`. */
export function zshCompletion(): string {
  return `#compdef bedrock-auth
# zsh completion of bedrock-auth, printed by: bedrock-auth completion zsh
_bedrock_auth_profiles() {
  local -a names
  names=(\${(f)"$(bedrock-auth completion --profiles 2>/dev/null)"})
  compadd -a names
}
${COMPLETED.map(functionOf).join('')}if [[ $funcstack[1] == _bedrock_auth ]]; then
  _bedrock_auth "$@"
else
  (( $+functions[compdef] )) || { autoload -Uz compinit && compinit }
  compdef _bedrock_auth bedrock-auth
fi
`;
}

function functionOf({ path, commands, flags, operand }: Completed): string {
  const name = ['_bedrock_auth', ...path].join('_');
  const specs = flags.map(flagSpec);
  if (commands.length === 0) {
    if (operand === 'commands') specs.push("'(-):command: _command_names -e'", "'*::arguments: _normal'");
    else if (operand) specs.push(`':${path.at(-1)}:${action(operand)}'`);
    return `${name}() {\n  _arguments -s ${specs.join(' \\\n    ')}\n}\n`;
  }
  return `${name}() {
  local curcontext=$curcontext state line
  local -a commands
  commands=(
${commands.map((each) => `    ${quoted(`${each.name}:${each.text}`)}`).join('\n')}
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
function flagSpec({ short, long, text, values }: CompletedFlag): string {
  const described = `[${text.replace(/[[\]\\:]/g, '\\$&')}]${values ? `:${long}:${action(values)}` : ''}`;
  if (short === undefined) return quoted(`--${long}${described}`);
  return `${quoted(`(-${short} --${long})`)}{-${short},--${long}}${quoted(described)}`;
}

function action(values: Values): string {
  if (values === 'profiles') return '_bedrock_auth_profiles';
  if (values === 'files') return '_files';
  return values === 'commands' ? '_command_names' : `(${values.join(' ')})`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
