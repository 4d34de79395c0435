import type { AdhocCommand, CommandStage } from './adhoc'
import type { Scope } from './scope'

/** The same command; its module is not taken away while one of its steps is under way. */
export function trackedCommand(command: AdhocCommand, scope: Scope): AdhocCommand {
  return {
    ...command,
    stages: command.stages.map(stage => trackedStage(stage, scope)),
    finish: (said, run) => scope.work.track(command.finish(said, run))
  }
}

function trackedStage(stage: CommandStage, scope: Scope): CommandStage {
  const tracked: CommandStage = { form: (said, run) => scope.work.track(stage.form(said, run)) }
  if (stage.check) tracked.check = (said, run) => scope.work.track(stage.check?.(said, run))
  return tracked
}
