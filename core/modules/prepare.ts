import { CodedError } from '../errors'
import type { Host } from '../hosts/host'
import type { ModuleCatalogue } from './catalogue'
import { Graph, type GraphNode } from './graph'
import type { LoadedModule } from './loader'
import { optionsOf, type ModuleSettings } from './settings'

/** A module that shall run on a host. */
export interface Wanted {
  readonly at: Host
  readonly name: string
}

/** One whose code and options are in order. */
export interface Ready extends Wanted {
  readonly loaded: LoadedModule
  readonly config: unknown
}

/** A module that runs on a host. */
export interface RunningCode extends Wanted {
  readonly loaded: LoadedModule
}

interface Node extends GraphNode {
  readonly ready: Ready | undefined
}

/**
 * Loads the code of the modules, checks their options, and puts them in the order in which they are started.
 * Tells everything that stands against it; nothing has been started or changed then.
 */
export function prepare(
  wanted: readonly Wanted[],
  running: readonly RunningCode[],
  catalogue: ModuleCatalogue,
  settings: ModuleSettings
): { order: Ready[]; faults: CodedError[] } {
  const faults: CodedError[] = []
  const nodes = wanted.map(one => {
    const ready = prepareOne(one, catalogue, settings, faults)
    return { ...nodeOf(one, ready?.loaded), ready }
  })
  const there = running.map(one => ({ ...nodeOf(one, one.loaded), ready: undefined }))
  // The wanted ones last: they take the place of what runs under the same name
  const graph = new Graph<Node>([...there, ...nodes]).order()
  faults.push(...graph.faults)
  return { order: graph.order.flatMap(node => node.ready ?? []), faults }
}

/** One that cannot be used stays in the graph, so that those which need it are not said to miss it. */
export function nodeOf({ at, name }: Wanted, loaded: LoadedModule | undefined): GraphNode {
  const { dependencies = [], after = [] } = loaded?.definition ?? {}
  return { host: at.name, name, dependencies, after }
}

function prepareOne(
  { at, name }: Wanted,
  catalogue: ModuleCatalogue,
  settings: ModuleSettings,
  faults: CodedError[]
): Ready | undefined {
  try {
    const loaded = catalogue.load(name)
    return { at, name, loaded, config: optionsOf(settings, at, loaded) }
  } catch (error) {
    if (!(error instanceof CodedError)) throw error
    // A module on many hosts is not told of many times
    if (!faults.some(known => known.message === error.message)) faults.push(error)
    return undefined
  }
}
