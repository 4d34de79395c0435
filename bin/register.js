'use strict'
// Node loads TypeScript through this hook: sucrase drops the types and leaves every line where it was, so
// stack traces need no source map and an edited file needs no build step. Types are checked by CI.
const fs = require('node:fs')
const Module = require('node:module')
const { compile } = require('../core/modules/compile')

Module._extensions['.ts'] = (module, filename) => {
  module._compile(compile(fs.readFileSync(filename, 'utf8'), filename), filename)
}

module.exports = { compile }
