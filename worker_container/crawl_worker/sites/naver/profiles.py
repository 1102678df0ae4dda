"""Who the crawler says it is to each kind of page."""

import random
import re
from collections.abc import Callable, Mapping, Sequence

from crawl_worker.engine.browser import BrowserProfile
from nightjar.domain.tracking import Device

DEFAULT_MOBILE_USER_AGENT = (
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36"
)
"""What a phone of today sends; the phone's pages are served to no other kind of reader."""

DEFAULT_DESKTOP_USER_AGENT = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36"
)

_MOBILE = re.compile(r"Mobile|Android|iPhone", re.IGNORECASE)


def profiles(
    user_agents: Sequence[str], *, choose: Callable[[Sequence[str]], str] = random.choice
) -> Mapping[Device, BrowserProfile]:
    """One profile for each device, chosen once for a task from the configured list.

    Where the list holds no phone (or no desktop), the plain default of that kind is taken. The choice is never changed
    in answer to a block.
    """
    phones = [agent for agent in user_agents if _MOBILE.search(agent)] or [DEFAULT_MOBILE_USER_AGENT]
    desktops = [agent for agent in user_agents if not _MOBILE.search(agent)] or [DEFAULT_DESKTOP_USER_AGENT]
    return {
        Device.PC: BrowserProfile(user_agent=choose(desktops)),
        Device.MOBILE: BrowserProfile(user_agent=choose(phones), mobile=True, width=412, height=915),
    }
