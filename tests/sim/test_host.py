from sim.kernel import Host
from sim.site import Site


def ticking(kernel, seen, name):
    while True:
        yield kernel.sleep(10)
        seen.append(name)


def test_a_power_cut_stops_the_hosts_tasks_and_no_others(kernel):
    seen = []
    cut, spared = Host(kernel, "cut"), Host(kernel, "spared")
    cut.spawn(ticking(kernel, seen, "cut"), name="ticking")
    spared.spawn(ticking(kernel, seen, "spared"), name="ticking")
    kernel.call_after(25, cut.power_cut)
    kernel.run(50)
    assert seen.count("cut") == 2
    assert seen.count("spared") == 5


def test_a_power_cut_voids_the_hosts_calls_even_when_power_is_back_in_time(kernel):
    host = Host(kernel, "mbx1")
    seen = []
    host.call_after(30, seen.append, "old epoch")
    kernel.call_after(10, host.power_cut)
    kernel.call_after(20, host.power_on)
    kernel.call_after(25, lambda: host.call_after(5, seen.append, "new epoch"))
    kernel.run(100)
    assert seen == ["new epoch"]
    assert host.epoch == 1


def test_nothing_starts_on_a_host_without_power(kernel):
    host = Host(kernel, "mbx1")
    seen = []
    host.power_cut()
    task = host.spawn(ticking(kernel, seen, "dead"), name="dead")
    host.call_after(5, seen.append, "dead call")
    kernel.run(100)
    assert seen == []
    assert task.dropped
    assert not task.fired


def test_the_second_of_two_power_cuts_changes_nothing(kernel):
    host = Host(kernel, "mbx1")
    host.spawn(ticking(kernel, [], "x"), name="x")
    assert host.power_cut() == 1
    assert host.power_cut() == 0
    assert host.epoch == 1


def test_hooks_are_told_of_cuts_and_returns_until_they_are_removed(kernel):
    host = Host(kernel, "mbx1")
    seen = []
    unhook = host.on_power_cut(lambda: seen.append("cut"))
    host.on_power_on(lambda: seen.append("on"))
    host.power_cut()
    host.power_on()
    host.power_on()
    unhook()
    host.power_cut()
    host.power_on()
    assert seen == ["cut", "on", "on"]


def test_a_task_that_cuts_its_own_power_runs_to_its_next_yield_only(kernel):
    host = Host(kernel, "mbx1")
    seen = []

    def suicidal():
        yield kernel.sleep(5)
        host.power_cut()
        seen.append("after the cut")
        yield kernel.sleep(5)
        seen.append("after the yield")

    task = host.spawn(suicidal(), name="suicidal")
    kernel.run(100)
    assert seen == ["after the cut"]
    assert not task.fired


def test_a_finished_task_is_not_counted_by_a_power_cut(kernel):
    host = Host(kernel, "mbx1")

    def short():
        yield kernel.sleep(1)

    host.spawn(short(), name="short")
    kernel.run(5)
    assert host.power_cut() == 0


def test_a_receiver_on_a_dead_host_takes_no_item(kernel):
    host = Host(kernel, "mbx1", Site("primary"))
    channel = kernel.channel()
    received = []

    def receiver(name):
        received.append((name, (yield from channel.receive())))

    host.spawn(receiver("dead"), name="dead")
    kernel.run(1)
    kernel.spawn(receiver("alive"), name="alive")
    kernel.run(2)
    host.power_cut()
    channel.put("the log")
    kernel.run(10)
    assert received == [("alive", "the log")]
