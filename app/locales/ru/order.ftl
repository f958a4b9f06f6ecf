order-title = Заказ сервера
order-steps = Шаги заказа
order-summary = Ваш заказ
wizard-os = ОС
wizard-size = Размер
wizard-access = Доступ
wizard-review = Проверка
wizard-done = готово
wizard-faulty = есть ошибки
wizard-locked = Сначала завершите «{ $step }».
wizard-next = Далее: { $step }
wizard-back = Назад
wizard-exit = Сохранить и выйти
wizard-saved = Сохранено в { $time }
wizard-recalculate = Пересчитать
wizard-help = Справка
os-heading = Выберите систему
os-help = Система ставится с нуля. Её можно переустановить позже; адрес сервера сохранится.
family-linux = Linux
family-windows = Windows Server
channel-stable = Стабильная
channel-old = Старая
channel-new = Новая
os-supported = Поддержка производителя до { $date }
os-old = Старое ядро, поддержка прекращена { $date }. Выбирайте, только если этого требует ваше ПО.
os-minimum = От { $vcpu } vCPU, память { $ram }, диск { $disk }
os-licence = Лицензия { $price } в месяц
size-heading = Выберите размер
size-help = Каждое значение свободно в своих пределах и может быть изменено позже; диск можно только увеличить.
size-presets = Заполнить
preset-small = Малый
preset-medium = Средний
preset-large = Большой
size-range = от { $min } до { $max }, шаг { $step }
size-unit-vcpu = + { $price } за vCPU
size-unit-gb = + { $price } за ГБ
size-edges-free = Ресурсов достаточно.
size-edges-few = { $n ->
    [one] Осталось { $n } место в сети.
    [few] Осталось { $n } места в сети.
   *[many] Осталось { $n } мест в сети.
}
size-edges-none = Сейчас нет свободного места в сети: заказ подождёт его.
access-heading = Имя и доступ
access-help = Имя сервера — для вас; имя хоста — так сервер называет себя сам. Созданный нами пароль показывается один раз, когда сервер готов.
access-name-hint = Подпись в вашем списке. Любой алфавит, до 40 символов.
access-hostname-hint = Латинские буквы, цифры, дефис и точка.
method-password = Пароль
method-key = Только ключ SSH
method-key_and_password = Ключ SSH и пароль
access-login-hint = root или своё имя с правом sudo.
access-login-hint-windows = Administrator или своё имя.
password-generated = Создать за меня
password-generated-hint = 24 символа, показывается один раз, когда сервер готов.
password-own = Свой
password-kept = Пароль задан. Оставьте пустым, чтобы не менять.
keys-hint = По одному открытому ключу в строке, до 10: ssh-ed25519, ecdsa, sk-…, ssh-rsa от 2048 бит.
keys-read = Прочитанные ключи
access-ip = IP-адрес
access-ip-auto = Назначается автоматически.
review-heading = Проверьте и закажите
review-help = Пока вы не нажали кнопку, ничего не списывается и не создаётся.
review-change = Изменить
review-change-of = Изменить: { $step }
price-changed = Цена изменилась: { $from } → { $to } в месяц.
price-changed-on = { $date } цена изменилась: { $from } → { $to } в месяц.
review-price = Цена в месяц
review-item = Позиция
review-quantity = Количество
review-unit = Цена за единицу
review-sum = Сумма
review-total = Итого в месяц
review-hour = около { $price } в час
review-time = Это займёт 3–5 минут.
review-checks = Перед заказом
review-check-ok = Всё подходит друг к другу.
review-check-slot = Место в сети есть.
review-check-bad = { $step }: нужно исправить.
review-fix = Исправить
review-after = Сначала завершится другая ваша операция: { $what }. Этот заказ начнётся после неё.
review-terms = Принимаю условия.
review-submit = Заказать за { $price } в месяц
item-licence = Лицензия
password-line-generated = создаётся, показывается один раз
password-line-own = задан вами
password-line-none = нет: только ключ
order-too-many = У вас { $limit } незавершённых операций — это предел. Дождитесь завершения части из них.
order-gone = Этот черновик уже нельзя заказать. Начните новый заказ.
order-other-values = Форма уже отправлена с другими значениями.
draft-ordered = Этот черновик уже заказан. Вот что с заказом.
draft-discarded = Черновик удалён.
review-servers = { $n ->
    [one] { $n } сервер
    [few] { $n } сервера
   *[other] { $n } серверов
}
review-submit-several = { $n ->
    [one] Заказать { $n } сервер за { $price } в месяц
    [few] Заказать { $n } сервера за { $price } в месяц
   *[other] Заказать { $n } серверов за { $price } в месяц
}
order-several = { $n ->
    [one] Заказ принят: { $n } сервер.
    [few] Заказ принят: { $n } сервера, у каждого своя операция.
   *[other] Заказ принят: { $n } серверов, у каждого своя операция.
}
wizard-panel = Панель
panel-heading = Выберите панель управления
panel-help = Панель управляет сайтами, почтой и базами данных из браузера. Она устанавливается, когда сервер готов; сервером в это время можно пользоваться.
panel-none = Без панели
panel-none-note = Только система.
panel-price = { $price } в месяц
panel-time = + около { $n } мин
panel-needs = От { $ram } памяти, { $disk } диска
panel-address = Вход по адресу { $address }
panel-full-name = Нужно полное имя хоста вида host.example.com
panel-change-os = Сменить ОС
panel-switch = Перейти на { $system }
panel-without = Продолжить без панели
panel-repairs = Как исправить
os-panels = Работает с: { $panels }
review-time-panel = Это займёт 3–5 минут, с { $panel } — около { $n }.
item-panel = Лицензия панели
access-hostname-full = Для { $panel } нужно полное имя вида host.example.com.
keys-saved = Ваши ключи
keys-add = Добавить { $name }
preset-before = Как раньше
size-quantity-hint = От 1 до 10 одинаковых. Имена нумеруются дальше: web-01, web-02, …
size-room = { $n ->
    [0] Сейчас нет места для новых операций (предел незавершённых операций).
    [one] Сейчас есть место ещё для { $n } сервера (предел незавершённых операций).
    [few] Сейчас есть место ещё для { $n } серверов (предел незавершённых операций).
   *[other] Сейчас есть место ещё для { $n } серверов (предел незавершённых операций).
}
access-name-taken = Сервер с именем { $name } у вас уже есть. Так можно, но легко перепутать.
review-terms-hold = Заказывая, вы принимаете условия.
review-no-room = { $n ->
    [0] Незавершённых операций уже столько, сколько можно. Подождите, пока часть завершится.
    [one] Сейчас есть место ещё для { $n } операции: закажите меньше серверов или подождите.
   *[other] Сейчас есть место ещё для { $n } операций: закажите меньше серверов или подождите.
}
os-filters = Какие системы показаны
os-filter-panel = С панелью { $panel }

review-another = Заказать и настроить ещё один
order-accepted-next = { $n ->
    [one] Заказ принят, он среди ваших операций. Вот следующий.
    [few] Заказ принят: { $n } сервера, каждый среди ваших операций. Вот следующий.
   *[other] Заказ принят: { $n } серверов, каждый среди ваших операций. Вот следующий.
}
