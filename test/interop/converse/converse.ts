import type { Browser, Locator, Page } from 'playwright-core'

/** Milliseconds that a person would wait for something to appear. */
const LIMIT = 20_000

/** converse.js in a browser, as a person uses it. */
export class Converse {
  /** What the page asked of elsewhere, and faults of its scripts. */
  readonly complaints: string[] = []

  private constructor(readonly page: Page) {
    page.setDefaultTimeout(LIMIT)
    page.on('request', request => {
      if (!/^(?:http:\/\/127\.0\.0\.1:|data:|blob:)/.test(request.url()))
        this.complaints.push(`asks for ${request.url()}`)
    })
    page.on('pageerror', error => this.complaints.push(String(error)))
  }

  static async opens(browser: Browser, site: string): Promise<Converse> {
    // Each as in a browser of their own
    const context = await browser.newContext({ viewport: { width: 1000, height: 900 } })
    const one = new Converse(await context.newPage())
    await one.page.goto(site)
    return one
  }

  async logsIn(jid: string, password: string): Promise<void> {
    await this.page.locator('input[name=jid]').fill(jid)
    await this.page.locator('input[name=password]').fill(password)
    await this.page.locator('input[type=submit]').click()
    await this.page.locator('.show-client-info').waitFor()
  }

  /** User settings, the tab "Commands". */
  async opensCommands(): Promise<CommandsTab> {
    await this.page.locator('.show-client-info').click()
    await this.page.getByText('Commands', { exact: true }).click()
    const tab = new CommandsTab(this.page.locator('converse-adhoc-commands'))
    await tab.box.waitFor()
    return tab
  }

  async closesSettings(): Promise<void> {
    await this.page.locator('.modal-header .close').click()
    await this.page.locator('.modal-backdrop').waitFor({ state: 'detached' })
  }
}

/** The window of commands. */
export class CommandsTab {
  readonly form: Locator

  constructor(readonly box: Locator) {
    this.form = box.locator('li form')
  }

  async asks(jid: string): Promise<void> {
    await this.box.locator('input[name=jid]').fill(jid)
    await this.box.locator('input[type=submit]').click()
  }

  /** The names that are listed for that address. */
  async names(jid: string): Promise<string[]> {
    const listed = this.box.locator(`[data-command-jid="${jid}"]`)
    await listed.first().waitFor()
    return listed.allInnerTexts()
  }

  /** Opens the form of a command; there is one at a time. */
  async opens(name: string): Promise<Locator> {
    await this.box.locator(`[data-command-name="${name}"]`).click()
    await this.form.locator('input[type=button]').first().waitFor()
    return this.form
  }

  async presses(button: 'Complete' | 'Cancel'): Promise<void> {
    await this.form.locator(`input[value=${button}]`).click()
  }

  async shows(text: string | RegExp): Promise<void> {
    await this.box.getByText(text).first().waitFor()
  }
}
