/** What may be said of a cache that machines share, as plain data. */
import type { Key, Shape } from './shape.ts';

const VARIABLE: Shape = { kind: 'text', format: 'variable' };
const DURATION: Shape = { kind: 'text', format: 'duration' };

const MODES: Readonly<Record<string, string>> = {
  read: 'Answers are taken from there.',
  write: 'Answers are put there.',
  'read-write': 'Both.',
};

export const SHARED_KEYS: Readonly<Record<string, Key>> = {
  mode: {
    shape: { kind: 'text', format: 'name', values: MODES },
    doc: 'Whether answers are taken from there, put there, or both. FLECHE_SHARED_MODE can only narrow it.',
    example: 'mode = "read-write"',
    default: 'read',
  },
  namespace: {
    shape: { kind: 'text', format: 'namespace' },
    doc: 'The part of the server that is meant. Who may write to it is for the server to enforce.',
    example: 'namespace = "trusted"',
  },
  namespace_env: {
    shape: VARIABLE,
    doc: 'A variable that has the namespace; where it is not set, `namespace` holds.',
    example: 'namespace_env = "CACHE_NAMESPACE"',
  },
  public_keys: {
    shape: { kind: 'list', of: { kind: 'text', format: 'publicKey' }, nonEmpty: true },
    doc: 'Whose signatures count: public Ed25519 keys as openssl prints them. Answers with none of them are not believed.',
    example: 'public_keys = ["MCowBQYDK2VwAyEA…"]',
  },
  signing_key_env: {
    shape: VARIABLE,
    doc: 'A variable that has the private key with which answers are signed. Where it is not set, nothing is put there.',
    example: 'signing_key_env = "FLECHE_SIGNING_KEY"',
  },
  unsigned: {
    shape: { kind: 'flag' },
    doc: 'Whether answers go and come without signatures: whoever can write there is believed.',
    example: 'unsigned = true',
    default: false,
  },
  producer_env: {
    shape: VARIABLE,
    doc: 'A variable that says who makes the answers, such as the address of a CI job. It is kept with them.',
    example: 'producer_env = "BUILD_URL"',
  },
  require: {
    shape: { kind: 'flag' },
    doc: 'Whether trouble with it is an error. Otherwise it costs answers and a word.',
    example: 'require = true',
    default: false,
  },
  max_answer: {
    shape: { kind: 'text', format: 'size' },
    doc: 'The most that one answer may have.',
    example: 'max_answer = "2GB"',
    default: '2GB',
  },
  exit_timeout: {
    shape: DURATION,
    doc: 'For how long the end of a run waits for answers that are still being sent.',
    example: 'exit_timeout = "30s"',
    default: '30s',
  },
};

export const CREDENTIAL_KEYS: Readonly<Record<string, Key>> = {
  token_env: {
    shape: VARIABLE,
    doc: 'A variable that has the token; for Redis the password, or user and password with a colon between them.',
    example: 'token_env = "CACHE_TOKEN"',
  },
  token_helper: {
    shape: { kind: 'text', format: 'text' },
    doc: 'A command that prints the token, asked once when it is first needed and `token_env` has none.',
    example: 'token_helper = "vault read -field=token secret/cache"',
  },
  insecure: {
    shape: { kind: 'flag' },
    doc: 'Whether a server of another machine may be talked to without encryption. Never with a token.',
    example: 'insecure = true',
    default: false,
  },
};

export const NETWORK_KEYS: Readonly<Record<string, Key>> = {
  connect_timeout: {
    shape: DURATION,
    doc: 'Time to connect.',
    example: 'connect_timeout = "1s"',
    default: '1s',
  },
  timeout: {
    shape: DURATION,
    doc: 'Time without a sign of the server.',
    example: 'timeout = "10s"',
    default: '10s',
  },
};
