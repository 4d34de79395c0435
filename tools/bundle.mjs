/*
 * What `npm pack` makes brings node-xmpp-server with it: the overrides that keep its dependencies in check count in the
 * root package only. `bundleDependencies` stands in package.json only while it is packed: beside `overrides` it sends
 * npm 11 into an endless resolution at every install.
 */
import fs from 'node:fs'

const FILE = new URL('../package.json', import.meta.url)
const manifest = JSON.parse(fs.readFileSync(FILE, 'utf8'))
if (process.argv[2] === 'on') manifest.bundleDependencies = ['node-xmpp-server']
else delete manifest.bundleDependencies
fs.writeFileSync(FILE, `${JSON.stringify(manifest, null, 2)}\n`)
