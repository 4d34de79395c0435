import explainedDisable from './explained-disable.mjs'
import importWalls from './import-walls.mjs'
import noCircles from './no-circles.mjs'
import noModuleState from './no-module-state.mjs'

/** The rules of this house, for eslint.config.mjs. */
export default {
  meta: { name: 'balcony' },
  rules: {
    'explained-disable': explainedDisable,
    'import-walls': importWalls,
    'no-circles': noCircles,
    'no-module-state': noModuleState
  }
}
