#!/usr/bin/env node
'use strict'
if (Number(process.versions.node.split('.')[0]) < 20) {
  console.error(`Balcony needs Node 20 or newer; this is ${process.version}.`)
  process.exit(1)
}
require('./register.js')
require('../core/cli/main.ts').main(process.argv.slice(2))
