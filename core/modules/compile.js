'use strict'
const { transform } = require('sucrase')

/**
 * TypeScript source to CommonJS, line for line. Throws a SyntaxError that names file, line and column.
 * @param {string} source
 * @param {string} filename
 * @returns {string}
 */
function compile(source, filename) {
  const { code } = transform(source, {
    transforms: ['typescript', 'imports'],
    filePath: filename,
    disableESTransforms: true,
    preserveDynamicImport: true
  })
  return withPrivateNames(code)
}

/** sucrase takes `this.#name = 1` for an assignment to a function or variable `name` that the file exports. */
function withPrivateNames(code) {
  return code
    .replace(/#\(([\w$]+) = exports\.\1 = \1 ([+-]) 1, \1 [+-] 1\)/g, '#$1$2$2')
    .replace(/#([\w$]+) = exports\.\1 /g, '#$1 ')
}

module.exports = { compile }
