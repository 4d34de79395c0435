import { loginTests, pythonClient } from './logins/ways'

loginTests(pythonClient('aioxmpp', 'aioxmpp', 'aioxmpp_login.py'))
