"""Real JupyterLab in a real browser: start it, open a notebook, run it, look at it."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

ROOT = Path(__file__).resolve().parents[2]
READY_SECONDS = 120


@contextmanager
def jupyter_lab(folder: Path) -> Iterator[str]:
    """Serve JupyterLab with `make lab`, the workspace in `folder`; yields its address, %s for a notebook."""
    token = secrets.token_hex(8)
    arguments = (
        f"--no-browser --port=0 --IdentityProvider.token={token} --LabApp.expose_app_in_browser=True"
        " --LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"
    )
    command = ["make", "-C", str(ROOT), "lab", f"WORKSPACE={folder}", f"LAB_ARGS={arguments}"]
    folder.mkdir(parents=True, exist_ok=True)
    said = folder / "lab.log"
    with said.open("w") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        try:
            port = _wait_for_port(said, server)
            yield f"http://localhost:{port}/lab/tree/%s?token={token}&reset"
        finally:
            os.killpg(server.pid, signal.SIGTERM)
            server.wait(30)


def _wait_for_port(log: Path, server: subprocess.Popen) -> int:
    """Return the port that the server says it listens on, once it answers."""
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        for line in log.read_text().splitlines():
            if "http://localhost:" in line:
                port = int(line.split("http://localhost:")[1].split("/")[0])
                try:
                    urllib.request.urlopen(f"http://localhost:{port}/api", timeout=5)
                    return port
                except urllib.error.URLError:
                    pass
        time.sleep(0.3)
    raise RuntimeError(f"JupyterLab did not start: {log.read_text()[-800:]}")


@contextmanager
def chromium(width: int = 1200, height: int = 1000) -> Iterator[webdriver.Chrome]:
    """Start a headless browser."""
    options = webdriver.ChromeOptions()
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"):
        options.add_argument(argument)
    options.add_argument(f"--window-size={width},{height}")
    # Named, because selenium would otherwise look for a browser of its own on the network.
    options.binary_location = shutil.which("chromium")
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(shutil.which("chromedriver")))
    try:
        yield driver
    finally:
        driver.quit()


class Notebook:
    """A notebook open in JupyterLab, driven through what a person sees."""

    def __init__(self, driver: webdriver.Chrome, address: str):
        self.driver = driver
        driver.get(address)
        self.wait(lambda: driver.find_elements(By.CSS_SELECTOR, ".jp-Notebook .jp-Cell"))
        self.wait(self._kernel_is_ready)
        # JupyterLab asks at its first start whether to fetch news.
        for button in driver.find_elements(By.CSS_SELECTOR, ".Toastify button[title='No'], .Toastify button"):
            if button.text == "No":
                button.click()

    def wait(self, condition, seconds: float = READY_SECONDS):
        """Wait until a condition gives something true, and return it."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            found = condition()
            if found:
                return found
            time.sleep(0.3)
        raise TimeoutError(f"still not so after {seconds:g} s")

    def _kernel_is_ready(self) -> bool:
        return self.driver.execute_script(
            "const context = window.jupyterapp?.shell.currentWidget?.sessionContext;"
            "return context?.session?.kernel?.connectionStatus === 'connected'"
            " && context.kernelDisplayStatus === 'idle';"
        )

    def run_all(self, seconds: float = 300) -> None:
        """Choose Run > Run All Cells and wait until the last one is done."""
        self.driver.execute_script("window.jupyterapp.commands.execute('notebook:run-all-cells')")
        self.wait(self._is_done, seconds)

    def _is_done(self) -> bool:
        errors = self.texts("[data-mime-type='application/vnd.jupyter.error']")
        if errors:
            raise RuntimeError(f"a cell raised: {errors[0][-500:]}")
        return all(re.match(r"\[\d+\]", prompt) for prompt in self._prompts())

    def _prompts(self) -> list[str]:
        """Return what stands before each code cell: [ ]: not run, [*]: running, [7]: done."""
        return self.texts(".jp-CodeCell .jp-InputPrompt")

    def cell(self, text: str):
        """Return the first code cell whose source contains a text, scrolled to the top of the window."""
        for cell in self.driver.find_elements(By.CSS_SELECTOR, ".jp-Notebook .jp-CodeCell"):
            if text in cell.find_element(By.CSS_SELECTOR, ".jp-InputArea").get_attribute("textContent"):
                # Cells above are drawn when they come near, which moves this one again.
                for _ in range(4):
                    self.driver.execute_script("arguments[0].scrollIntoView({block: 'start'})", cell)
                    time.sleep(0.5)
                return cell
        raise LookupError(f"no code cell contains {text!r}")

    def move_slider(self, label: str, steps: int) -> None:
        """Move a slider to the right with the arrow key."""
        for box in self.driver.find_elements(By.CSS_SELECTOR, ".jp-Notebook .widget-slider"):
            if label in box.get_attribute("textContent"):
                box.find_element(By.CSS_SELECTOR, ".noUi-handle").send_keys(Keys.ARROW_RIGHT * steps)
                return
        raise LookupError(f"no slider is labelled {label!r}")

    def type(self, placeholder: str, text: str) -> None:
        """Write into the first text box whose placeholder begins so, and press Enter."""
        for box in self.driver.find_elements(By.CSS_SELECTOR, ".jp-Notebook input[type='text']"):
            if (box.get_attribute("placeholder") or "").startswith(placeholder):
                box.send_keys(text + Keys.ENTER)
                return
        raise LookupError(f"no text box says {placeholder!r}")

    def click(self, label: str) -> None:
        """Press the first enabled button whose label contains a text."""
        for button in self.driver.find_elements(By.CSS_SELECTOR, ".jp-Notebook .jupyter-button"):
            if label in button.text and button.is_enabled():
                button.click()
                return
        raise LookupError(f"no button is labelled {label!r}")

    def texts(self, selector: str) -> list[str]:
        """Return the texts of all parts of the notebook that a CSS selector finds."""
        # In one step: parts that are drawn again meanwhile would be gone by the second.
        return self.driver.execute_script(
            "return Array.from(document.querySelectorAll(arguments[0]), part => part.textContent)",
            f".jp-Notebook {selector}",
        )

    def screenshot(self, file: Path) -> None:
        """Save what is visible."""
        file.parent.mkdir(parents=True, exist_ok=True)
        if not self.driver.save_screenshot(str(file)):  # it says so, and raises nothing
            raise OSError(f"{file} could not be written")
