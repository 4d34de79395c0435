import { Command } from 'commander'
import packageJson from '../../package.json'
import type { AdminOptions } from './admin'
import type { ModulePlace } from './inspect'
import type { PlaceOptions } from './place'

/** The code behind the commands: loaded when one runs, so that `--help` need not wait for a server's. */
export interface Actions {
  start(options: PlaceOptions & { supervise: boolean }): Promise<number>
  users(): typeof import('./users')
  hosts(): typeof import('./hosts')
  inspect(): typeof import('./inspect')
  checkConfig(): typeof import('./check-config')
  admin(): typeof import('./admin')
}

/** The command line: what there is and what it takes. */
export function program(actions: Actions, exit: (code: number) => void): Command {
  const balcony = new Command('balcony')
    .description('An XMPP server: channels, and servers that trust each other.')
    .version(packageJson.version)
    .showHelpAfterError('(balcony --help tells what there is)')

  placed(balcony.command('start'))
    .description('runs the server; starts it again after a fault')
    .option('--no-supervise', 'in one process, for a service manager that starts it again itself')
    .action(async options => exit(await actions.start(options)))
  placed(balcony.command('status'))
    .description('whether the server runs, where it listens, who is there')
    .action(options => actions.inspect().showStatus(options))

  userCommands(
    balcony.command('user').description('accounts; while the server runs and while it does not'),
    actions
  )
  moduleCommands(balcony.command('module').description('modules of the running server'), actions)
  adminCommand(balcony.command('admin'), { actions, exit })
  placed(balcony.command('hooks'))
    .argument('[host]', "a host of this server; the server's own scope unless given")
    .description('which modules handle which events, in the order in which they run')
    .action((host, options) => actions.inspect().listHooks(host, options))

  const host = balcony.command('host').description('hosts of this server')
  placed(host.command('purge'))
    .argument('<name>', 'a domain that the config no longer has')
    .option('--yes', 'does not ask')
    .description('deletes everything that is left of a host, accounts included')
    .action((name, options) => actions.hosts().purgeHost(name, options))

  const config = balcony.command('config').description('the config file')
  placed(config.command('check'))
    .description('finds all faults, without starting anything')
    .action(options => actions.checkConfig().checkConfig(options))
  placed(config.command('reload'))
    .description('applies changes to the running server')
    .action(options => actions.inspect().reloadConfig(options))
  return balcony
}

function userCommands(user: Command, actions: Actions): void {
  const jid = 'the address, name@host'
  placed(user.command('add'))
    .argument('<jid>', jid)
    .description('adds an account; asks for its password, or reads it from standard input')
    .action((name, options) => actions.users().addUser(name, options))
  placed(user.command('delete'))
    .argument('<jid>', jid)
    .option('--yes', 'does not ask')
    .description('deletes an account with everything that is its')
    .action((name, options) => actions.users().deleteUser(name, options))
  placed(user.command('password'))
    .argument('<jid>', jid)
    .description('sets a new password; asks for it, or reads it from standard input')
    .action((name, options) => actions.users().changePassword(name, options))
  placed(user.command('list'))
    .argument('[host]', 'one host; all unless given')
    .description('lists the accounts')
    .action((host, options) => actions.users().listUsers(host, options))
}

function moduleCommands(module: Command, actions: Actions): void {
  placed(module.command('list'))
    .description('every module with its hosts, its state, and why it failed')
    .action(options => actions.inspect().listModules(options))
  for (const what of ['load', 'unload'] as const) {
    placed(module.command(what))
      .argument('<name>', 'as in the config: roster')
      .option('--host <host>', 'on one host; wherever the config has it unless given')
      .option('--server', "in the server's own scope")
      .description(what === 'load' ? 'starts a module' : 'stops a module')
      .action((name, options: ModulePlace) => actions.inspect().changeModule(what, name, options))
  }
  placed(module.command('reload'))
    .argument('<name>', 'as in the config: roster')
    .description('swaps a module for what is on the disk now, on all its hosts or on none')
    .action((name, options: ModulePlace) => actions.inspect().changeModule('reload', name, options))
}

/** The commands that a client finds at a host, as the running server has them. */
function adminCommand(
  admin: Command,
  { actions, exit }: { actions: Actions; exit: (code: number) => void }
): void {
  placed(admin)
    .argument('[command]', 'its name, or the whole node; all are listed unless given')
    .argument('[field=value...]', 'what its forms ask for; a name again for another value')
    .description('administration: every command that a client would find at a host, such as add-user')
    .option('--host <host>', 'the host, where several have the command')
    .option('--json', 'for scripts')
    .option('-y, --yes', 'asks for nothing but secrets: what is not given is as the form suggests it')
    // Which fields there are, the running server alone knows
    .helpOption(false)
    .option('-h, --help', 'what the command takes; without one, which there are')
    .action(
      async (name: string | undefined, fields: string[], options: AdminOptions & { help?: boolean }) => {
        if (name === undefined && options.help) {
          process.stdout.write(`${admin.helpInformation()}\n`)
          await actions.admin().listForHelp(options)
        } else if (name === undefined) await actions.admin().listCommands(options)
        else if (options.help) await actions.admin().explain(name, fields, options)
        else exit(await actions.admin().runCommand(name, fields, options))
      }
    )
}

function placed(command: Command): Command {
  return command
    .option('-c, --config <file>', 'the config file (BALCONY_CONFIG; config/balcony.yaml)')
    .option('-d, --data <folder>', "the data folder, in place of the config's")
}
