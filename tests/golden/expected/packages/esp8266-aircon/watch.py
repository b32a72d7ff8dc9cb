# Ends every hang.
import board
import machine

dog = machine.WDT(timeout=board.WATCHDOG_MS) if board.WATCHDOG_MS else None
timer = machine.Timer(board.TIMER)
left = 0
end = machine.reset


def feed():
    if dog:
        dog.feed()


def tick(_):
    global left
    left -= 1
    if left > 0:
        feed()
    else:
        end()


def guard(seconds, then=machine.reset):
    global left, end
    left, end = seconds, then
    feed()
    timer.init(mode=machine.Timer.PERIODIC, period=1000, callback=tick)


def stop():
    timer.deinit()
    feed()
