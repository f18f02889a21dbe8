import logging

logging.basicConfig(filename="/var/log/app.log", level=logging.INFO)
