servers-title = Серверы
servers-order = Заказать сервер
servers-empty-title = Серверов пока нет
servers-empty = { $n ->
    [one] Первый будет готов примерно за { $n } минуту.
    [few] Первый будет готов примерно за { $n } минуты.
   *[other] Первый будет готов примерно за { $n } минут.
}
servers-caption = Ваши серверы
servers-draft = Продолжить заказ { $name }: { $step }
servers-discard = Удалить
servers-discard-of = Удалить черновик { $name }
servers-drafts = Незавершённые заказы
col-name = Имя
col-state = Состояние
col-address = IP-адрес
col-system = Система
col-size = Размер
col-price = Цена в месяц
col-created = Создан
no-address = ещё не назначен
server-ordered = Заказан
server-creating = Создаётся…
server-running = Работает
server-stopped = Выключен
server-terminating = Удаляется…
server-terminated = Удалён
server-failed = Требует внимания
server-unknown = Неизвестно
server-progress = { $step } из { $total }: { $row }
chip-queued = В очереди: { $what }
server-connect = Подключение
server-connect-wait = Войти можно, пока сервер включён.
server-ssh = В терминале:
server-rdp = Удалённый рабочий стол (RDP), адрес:
server-login = Логин
server-password = Пароль
server-resources = Ресурсы
server-network = Сеть
server-price = Цена
server-price-month = { $price } в месяц
server-current = Сейчас
server-activity = Последние действия
server-no-activity = Пока ничего не происходило.
tab-overview = Обзор
tab-terminate = Удаление
tabs = Сервер
state-from = состояние на { $time }
terminate-title = Удаление { $name }
terminate-lead = Всё, что есть у этого сервера, удаляется навсегда:
terminate-disk = диск, { $size }, со всеми данными
terminate-address = адрес { $address }
terminate-after = Начнётся после операции: { $what }
terminate-type = Введите имя сервера для подтверждения: { $name }
terminate-submit = Удалить { $name }
denial-staff-only = Это может только администратор.
denial-reads-only = Сотрудник может только смотреть; изменения вносит клиент.
denial-terminating = Сервер удаляется.
denial-terminated = Сервер удалён.
denial-already-started = Уже началось.
denial-already-over = Уже завершено.
do-start = Включить
do-shut_down = Выключить
do-reboot = Перезагрузить
do-reset = Аппаратный сброс
do-force_off = Выключить принудительно
confirm-start = Включить { $name }?
confirm-shut_down = Выключить { $name }? Сайты на нём будут недоступны до включения.
confirm-reboot = Перезагрузить { $name }? Около 1 минуты недоступности.
confirm-reset = Сбросить { $name }? Как выдернуть вилку: несохранённые данные могут пропасть.
confirm-force_off = Выключить { $name } принудительно? Как выдернуть вилку: несохранённые данные могут пропасть.
denial-not-ready = Станет доступно после запуска сервера (около 4 мин).
denial-already-running = Уже работает.
denial-not-running = Сервер выключен.
do-reset_password = Сбросить пароль
do-snapshot_create = Сделать снимок
do-snapshot_revert = Вернуть
do-snapshot_remove = Удалить
confirm-force_off-hanging = { $name } выключается. Питание отключится сразу: несохранённые данные могут пропасть.
confirm-reset_password = Сделать новый пароль для { $name }? Сервер перезагрузится один раз, около 1 минуты недоступности. Пароль покажем один раз, когда он будет задан.
confirm-snapshot_create = Сделать снимок { $name }? Сервер продолжит работать.
confirm-snapshot_create-replace = Сделать снимок { $name }? Он заменит снимок от { $date }.
confirm-snapshot_revert = Вернуть { $name } к снимку от { $date }? Всё записанное позже пропадёт; сервер будет выключен, пока вы его не включите.
confirm-snapshot_remove = Удалить снимок от { $date }? Сервер останется как есть.
denial-no-snapshot = Снимка нет.
denial-key-only = Вход только по ключу: пароля нет.
denial-no-other-address = В его сети нет другого свободного адреса.
tab-resize = Размер
tab-network = Сеть
tab-reinstall = Переустановка
resize-title = Изменить размер { $name }
resize-lead = Каждый параметр меняется отдельно. Ничего не изменится, пока вы не увидите, что это значит.
resize-now = сейчас { $now }
resize-preview = Посмотреть, что изменится
resize-meaning = Что изменится
resize-change = Изменение
resize-effect = Как применится
resize-effect-none = Останется как есть
resize-effect-live = Применится без перезагрузки
resize-effect-restart = Нужна перезагрузка: около 1 мин
resize-effect-impossible = Невозможно
resize-price = { $price } в месяц ({ $difference })
resize-restart-note = Одна перезагрузка на всё сразу. Раздел увеличится сам.
resize-submit = Изменить размер { $name }
resize-submit-restart = Изменить размер и перезагрузить { $name }
network-title = Сеть { $name }
network-speed = { $speed } по вашему тарифу
network-change-speed = Изменить скорость
change-ip-heading = Другой адрес
change-ip-lead = { $name } получит другой адрес. { $address } остаётся за ним, пока новый не ответит; если не ответит, вернём { $address }. Обновите DNS; сеансы SSH и RDP оборвутся.
change-ip-dns = Я обновлю DNS
change-ip-submit = Сменить IP
reinstall-lead = Все данные на { $name } будут стёрты: 1 диск, { $size }.
reinstall-choice = Система
reinstall-not-size = нужен сервер больше
reinstall-not-price = другая цена
reinstall-not-host-name = не принимает это имя хоста
reinstall-kept = IP, имя, размер и цена сохранятся.
reinstall-password = Созданный пароль будет показан один раз. Свой пароль мы не показываем.
reinstall-submit = Переустановить { $name }
terminate-neighbours = Остальные серверы продолжат работать, без перезагрузки.
snapshot = Снимок
snapshot-none = Снимка пока нет.
snapshot-of = От { $date }
server-manage = Доступ и имя
rename = Переименовать
rename-hint = Подпись для вас: внутри сервера ничего не меняется.
rename-done = Переименовано.
do-repair = Исправить сейчас
confirm-repair = Исправить настройки { $name } сейчас? Сервер перезагрузится один раз, около 1 минуты недоступности.
differs = Настройки не такие, как заказаны
differs-hostname = Имя хоста — { $observed }, а должно быть { $desired }.
differs-guest-address = Адрес внутри — { $observed }, а должен быть { $desired }.
differs-other = Поддержка видит это и занимается.
differs-at-once = Уже исправляется.
differs-restart = Следующая перезагрузка исправит это сама.
server-panel = Панель управления
server-panel-address = Панель
server-panel-login = Входите как администратор сервера, с тем же паролем.
server-panel-coming = { $panel }: ещё не установлена
server-panel-none = Нет
reinstall-kept-panel = { $panel } устанавливается заново на новую систему.
reinstall-not-panel = не подходит для панели управления этого сервера
servers-search = Имя, имя хоста или IP
servers-find = Найти
servers-filters = Показать
servers-all = Все
servers-running = Работают
servers-stopped = Выключены
servers-moving = Меняются
servers-attention = Требуют внимания
servers-none = Показать нечего
servers-none-found = По запросу «{ $text }» ничего нет.
servers-none-so = В этом состоянии сейчас нет ни одного сервера.
servers-clear = Сбросить фильтры
servers-new = { $n ->
    [one] { $n } новый сервер.
    [few] { $n } новых сервера.
   *[other] { $n } новых серверов.
}
servers-show = Показать
col-actions = Действия
do-change_ip = Сменить IP
pages = Страницы
pages-previous = Назад
pages-next = Вперёд
pages-at = страница { $page } из { $pages }
server-rdp-file = Скачать файл RDP
server-panel-login-key = У сервера пока нет пароля. Задайте его администратору на самом сервере (passwd) и входите с ним.
server-activity-all = Все операции этого сервера
terminate-matches = ✓ Это его имя.
terminate-differs = Пока не его имя.

console = Консоль
console-title = Консоль { $name }
console-opening = Открываем экран…
console-open = Подключено.
console-leave = Все клавиши уходят серверу; Shift+Esc вернёт к кнопкам.
console-lost = Связь потеряна. Если сервер выключен, включите его; иначе подключитесь снова.
console-full-screen = Во весь экран
console-reconnect = Подключиться снова
console-plain = Консоли нужен JavaScript; войдите по SSH или RDP.

several = С выбранными:
several-choose = Выбрать { $name }
several-all = Выбрать все
several-chosen = Выбрано { $n } из { $all }
several-start = Включение нескольких серверов
several-shut_down = Выключение нескольких серверов
several-do-start = { $n ->
    [one] Включить { $n } сервер
    [few] Включить { $n } сервера
   *[other] Включить { $n } серверов
}
several-do-shut_down = { $n ->
    [one] Выключить { $n } сервер
    [few] Выключить { $n } сервера
   *[other] Выключить { $n } серверов
}
several-will = Будет выполнено
several-will-not = Не будет выполнено
several-nobody = Сейчас это невозможно ни для одного из них.
several-none-title = Ни один сервер не выбран
several-none = Отметьте серверы в списке, затем выберите, что с ними сделать.
several-unreachable = Сайты на этих серверах будут недоступны до включения.
several-back = Назад к списку
several-accepted = { $n ->
    [one] Принята { $n } операция.
    [few] Приняты { $n } операции.
   *[other] Принято { $n } операций.
}
several-refused = Не приняты:

resize-no-system = Система { $system } пропала из каталога, поэтому её пределы и цены неизвестны. Поддержка может это исправить.
