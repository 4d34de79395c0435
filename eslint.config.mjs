import { defineConfig, globalIgnores } from 'eslint/config'
import tseslint from 'typescript-eslint'
import balcony from './tools/eslint/index.mjs'

const root = import.meta.dirname

/** What node:test returns is awaited by node:test itself. */
const TEST_CALLS = ['test', 'it', 'describe', 'suite', 'before', 'after', 'beforeEach', 'afterEach']

/** A test that waits for a moment instead of an event is slow on one machine and wrong on the next. */
const SLEEPS = [
  {
    selector:
      "NewExpression[callee.name='Promise'] CallExpression[callee.name='setTimeout'][arguments.0.name=/^(r|res|resolve|done|ok)$/]",
    message: 'A test waits for what it expects, never for a fixed time.'
  }
]
const SLEEP_IMPORTS = {
  paths: [
    {
      name: 'node:timers/promises',
      importNames: ['setTimeout'],
      message: 'A test waits for what it expects, never for a fixed time.'
    }
  ]
}

/** Two copies of ltx are installed: an element of one is no instance of the other's class. */
const INSTANCEOF_ELEMENT = {
  selector: "BinaryExpression[operator='instanceof'][right.name='Element']",
  message: 'Two copies of ltx are installed: ask isElement(), never instanceof.'
}

export default defineConfig(
  globalIgnores(['node_modules/', 'data/', 'dist/', 'coverage/', 'bench/run/', 'bench/results/']),
  {
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    plugins: { balcony },
    rules: {
      'balcony/explained-disable': 'error',
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'no-constant-binary-expression': 'error',
      'no-constant-condition': ['error', { checkLoops: 'allExceptWhileTrue' }],
      'no-control-regex': 'off',
      'no-debugger': 'error',
      'no-dupe-else-if': 'error',
      'no-duplicate-case': 'error',
      'no-empty': ['error', { allowEmptyCatch: false }],
      'no-fallthrough': 'error',
      'no-loss-of-precision': 'error',
      'no-self-assign': 'error',
      'no-self-compare': 'error',
      'no-sparse-arrays': 'error',
      'no-unreachable': 'error',
      'no-unsafe-finally': 'error',
      'no-useless-catch': 'error',
      'no-var': 'error',
      'object-shorthand': 'error',
      'prefer-const': ['error', { destructuring: 'all' }]
    }
  },
  {
    files: ['**/*.ts'],
    plugins: { '@typescript-eslint': tseslint.plugin },
    languageOptions: {
      parser: tseslint.parser,
      parserOptions: { projectService: true, tsconfigRootDir: root }
    },
    rules: {
      '@typescript-eslint/await-thenable': 'error',
      '@typescript-eslint/ban-ts-comment': ['error', { 'ts-expect-error': 'allow-with-description' }],
      '@typescript-eslint/consistent-type-imports': ['error', { disallowTypeAnnotations: false }],
      '@typescript-eslint/no-array-delete': 'error',
      '@typescript-eslint/no-base-to-string': 'error',
      '@typescript-eslint/no-duplicate-type-constituents': 'error',
      '@typescript-eslint/no-empty-object-type': 'error',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-floating-promises': [
        'error',
        { allowForKnownSafeCalls: [{ from: 'package', name: TEST_CALLS, package: 'node:test' }] }
      ],
      '@typescript-eslint/no-for-in-array': 'error',
      '@typescript-eslint/no-implied-eval': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/no-non-null-assertion': 'error',
      '@typescript-eslint/no-unnecessary-type-assertion': 'error',
      '@typescript-eslint/no-unsafe-function-type': 'error',
      '@typescript-eslint/no-unused-expressions': 'error',
      '@typescript-eslint/only-throw-error': ['error', { allowRethrowing: true, allowThrowingUnknown: true }],
      '@typescript-eslint/prefer-promise-reject-errors': 'error',
      '@typescript-eslint/restrict-plus-operands': 'error',
      '@typescript-eslint/return-await': ['error', 'error-handling-correctness-only'],
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true, requireDefaultForNonUnion: false }
      ],
      '@typescript-eslint/use-unknown-in-catch-callback-variable': 'error',
      'no-restricted-syntax': ['error', INSTANCEOF_ELEMENT]
    }
  },
  {
    files: ['core/**/*.ts', 'modules/**/*.ts'],
    rules: {
      'balcony/import-walls': ['error', { root }],
      'balcony/no-circles': ['error', { root }],
      'no-console': 'error'
    }
  },
  {
    // In core types go in no circles either; the files of one module may share theirs.
    files: ['core/**/*.ts'],
    rules: { 'balcony/no-circles': ['error', { root, types: true }] }
  },
  {
    files: ['core/cli/**/*.ts'],
    rules: { 'no-console': 'off' }
  },
  {
    files: ['modules/**/*.ts'],
    rules: { 'balcony/no-module-state': 'error' }
  },
  {
    files: ['test/**/*.ts'],
    rules: {
      'no-restricted-syntax': ['error', INSTANCEOF_ELEMENT, ...SLEEPS],
      'no-restricted-imports': ['error', SLEEP_IMPORTS]
    }
  },
  {
    // What the harness waits for from outside (a socket, a file, a process) it may have to ask for again and again.
    files: ['test/lib/**/*.ts'],
    rules: { 'no-restricted-syntax': ['error', INSTANCEOF_ELEMENT] }
  },
  {
    // The benchmarks are plain JavaScript: they measure any server and need nothing installed.
    files: ['**/*.mjs', '**/*.js'],
    rules: { 'no-empty': 'off', 'prefer-const': 'off' }
  }
)
