"""The authority as a real file: of many askers one gets each epoch, and no vote is given."""

from concurrent.futures import ThreadPoolExecutor

from engine.basics.register import Grant, Register
from engine.contract.promotions import ReadRegister, RegisterUnreachable, SwapRegister
from engine.formats.register import decode_register, encode_register
from engine.live import FileAuthority

GROUP = 7


def swap(register, grant, *, is_automatic=False):
    new = encode_register(register.granting(grant))
    return SwapRegister(1, encode_register(register), new, grant.holder, is_automatic)


def test_an_epoch_is_granted_once_and_the_same_request_is_told_so_again(tmp_path):
    authority = FileAuthority(tmp_path / "register")
    empty = Register(GROUP)
    assert authority.ask(ReadRegister(1)).current == b""
    asked = swap(empty, Grant(1, 2, 3))
    assert authority.ask(asked).is_swapped
    assert authority.ask(asked).is_swapped
    late = authority.ask(swap(empty, Grant(1, 9, 9)))
    assert not late.is_swapped
    assert decode_register(late.current, GROUP).newest == Grant(1, 2, 3)
    assert FileAuthority(tmp_path / "register").ask(ReadRegister(2)).current == asked.new


def test_nobody_is_promoted_automatically_over_a_file(tmp_path):
    authority = FileAuthority(tmp_path / "register")
    answer = authority.ask(swap(Register(GROUP), Grant(1, 2, 3), is_automatic=True))
    assert not answer.is_swapped
    assert "cannot tell" in answer.refusal
    assert authority.ask(ReadRegister(1)).current == b""


def test_of_many_who_ask_at_once_one_gets_the_epoch(tmp_path):
    register = Register(GROUP)
    with ThreadPoolExecutor(8) as pool:
        for epoch in range(1, 6):
            asked = [swap(register, Grant(epoch, holder, 0)) for holder in range(1, 9)]
            ask = FileAuthority(tmp_path / "register").ask
            answers = list(pool.map(ask, asked))
            assert sum(answer.is_swapped for answer in answers) == 1
            register = decode_register(answers[0].current, GROUP)
            current = FileAuthority(tmp_path / "register").ask(ReadRegister(1)).current
            register = decode_register(current, GROUP)
            assert register.epoch == epoch


def test_a_folder_that_is_gone_is_an_authority_that_is_out_of_reach(tmp_path):
    authority = FileAuthority(tmp_path / "unmounted" / "register")
    assert isinstance(authority.ask(ReadRegister(4)), RegisterUnreachable)
