import { loginTests, pythonClient } from './logins/ways'

loginTests(pythonClient('slixmpp', 'slixmpp', 'slixmpp_login.py'))
