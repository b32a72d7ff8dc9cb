# umqtt.robust: as umqtt.simple, with connections made again when they break.
import time

from . import simple


class MQTTClient(simple.MQTTClient):
    DELAY = 2
    DEBUG = False

    def reconnect(self):
        while True:
            try:
                return self.connect(False)
            except OSError:
                time.sleep(self.DELAY)

    def _again(self, action):
        while True:
            try:
                return action()
            except OSError:
                self.reconnect()

    def publish(self, topic, msg, retain=False, qos=0):
        return self._again(lambda: simple.MQTTClient.publish(self, topic, msg, retain, qos))

    def wait_msg(self):
        return self._again(lambda: simple.MQTTClient.wait_msg(self))

    def check_msg(self, attempts=2):
        for _ in range(attempts):
            self.sock.setblocking(False)
            try:
                return simple.MQTTClient.wait_msg(self)
            except OSError:
                self.reconnect()
