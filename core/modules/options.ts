import { formatFaults } from '../config'
import { CodedError } from '../errors'
import type { PlacedOptions } from './server-api'
import { enabledOn } from './settings'
import { hostLabel, type Workshop } from './workshop'

/** `ServerApi.modules.options` */
export function optionsIn(workshop: Workshop, name: string, host?: string): PlacedOptions[] {
  const { settings } = workshop
  const { config } = workshop.catalogue.load(name).definition
  return placesOf(workshop, name, host).map(at => ({
    host: at,
    options: settings.shownOptions(name, config, at === '' ? undefined : at)
  }))
}

/** `ServerApi.modules.checkOptions` */
export function checkIn(
  workshop: Workshop,
  name: string,
  text: string,
  host?: string
): { ok: boolean; lines: string[] } {
  const { config } = workshop.catalogue.load(name).definition
  const lines = new Set<string>()
  for (const at of placesOf(workshop, name, host)) {
    const given = { text, env: process.env, host: at === '' ? undefined : at }
    const faults = workshop.settings.checkOptions(name, config, given)
    if (faults.length > 0) for (const line of formatFaults(faults).split('\n')) lines.add(line)
  }
  return { ok: lines.size === 0, lines: [...lines] }
}

/** Throws `ERR_MODULE_SCOPE` for a host where it cannot be. */
function placesOf(workshop: Workshop, name: string, host: string | undefined): (string | undefined)[] {
  const hosts = workshop.hosts()
  const { on } = workshop.catalogue.load(name).definition
  if (host === undefined) {
    const found = hosts.filter(one => enabledOn(workshop.settings, one).includes(name))
    return found.length > 0 ? found.map(one => one.name) : [undefined]
  }
  const named = hosts.find(one => one.name === host)
  if (!named) throw new CodedError('ERR_MODULE_SCOPE', `there is no host ${host}`)
  if (on.includes(named.type)) return [host]
  throw new CodedError(
    'ERR_MODULE_SCOPE',
    `${name} cannot run on ${hostLabel(named)}: it runs on ${on.join(' and ')}`
  )
}
